"""Every file name in the folder of a run, of a cross-validation and of a search."""

# The folder of a run.
SETTINGS = "run.cfg"  # a flagfile: the run's configuration
LABELS = "labels.json"  # the names of the outputs, such as the labels in the order of their ids
INPUTS = "inputs.json"  # whether texts come in pairs, and the columns they were read from
PROBLEM = "problem.json"  # what the problem has learned of the training data, if anything
ENCODER = "encoder"  # config.json and vocabulary, which rebuild the encoder and its text layer
WEIGHTS = "weights.safetensors"  # of the best epoch
CHECKPOINTS = "checkpoints"  # training states, and the weights of the best epochs
HISTORY = "history.csv"  # a row for each epoch
METRICS = "metrics.json"
PREDICTIONS = {"test": "predictions.jsonl", "validation": "predictions_validation.jsonl"}
TOKEN_COUNTS = "token_counts.json"  # of each text of validation and test, for drift
SAMPLES = "samples.jsonl"  # texts with their predictions, by which exports are verified
EXPORTS = "exports.json"  # where the exports are; written last, when the run is finished
EXPORT_RECORD = "export.json"  # in the folder of an export: its size, latency and verification
MODEL_CARD = "model_card.md"  # in the folder of an export
EVALUATIONS = "evaluations.csv"  # a row for each validation within an epoch
TRACKED = "trackers.json"  # the ids of the run in its trackers, by their specs
# What trackers write into the run's folder.
TRACKER_FILES = ("steps.csv", "tensorboard", "wandb")
DATA = "data"  # examples that were in memory, one file of JSON lines for each split
SOURCES = "sources.jsonl"  # in the data of what comes before a run: digests of the run's data
REPORT = "report.html"  # the page about the run
REPORT_FIGURES = "report.json"  # its numbers
REPORT_PLOTS = "report"  # a folder with its plots
REPORT_TEXTS = "report_texts.jsonl"  # the texts of examples that it shows
SIGNATURE = "model.sig"  # in the folder of an export, if it was signed
# Of an export: what is written after its other files, so that their hashes do not have it.
NOT_IN_EXPORT = (EXPORT_RECORD, SIGNATURE)
AUDIT_LOG = "audit.jsonl"  # who did what with the run; `restart` keeps it
DOSSIER = "dossier"  # a folder that `dossier` writes
PRIVACY_KEY = "privacy.key"  # the secret of a private run, until it is finished
LOCK = ".lock"  # locked by the process that uses the folder
REPLACED = ".replaced"  # what `restart` replaces, until the new run begins
BEING_MOVED = ".replaced.moving"  # the same while files are moved there, or back
REFUSED = ".refused"  # what a `restart` that failed wrote, if it left logs
FAILURE = "failure.json"  # why a run that is a child process failed
LOG = "log.txt"  # the output of a run that is a child process
# Exporters that write into the run's folder, each into a folder of its own.
HUGGINGFACE = "huggingface"
EXPORT_FOLDERS = (HUGGINGFACE, "onnx", "litert")
# What comes before a run: the run that pretrained its encoder, that which tuned it by pairs of
# texts, and a vocabulary of its own.
PRETRAINED = "pretrained"
TUNED_BY_PAIRS = "pairs"
ROUNDS = "rounds"  # a folder for the run of each round of self-training
VOCABULARY = "vocabulary"
VOCABULARY_SIZE = "vocabulary.json"  # for how many tokens it was trained
# What decides what the model of a run is, besides the folder of its encoder.
OF_MODEL = (SETTINGS, LABELS, INPUTS, PROBLEM, WEIGHTS)
# Everything that a run writes into its folder; `restart` removes just these.
OF_RUN = (
    *(SETTINGS, LABELS, INPUTS, PROBLEM, ENCODER, WEIGHTS, CHECKPOINTS, HISTORY, METRICS),
    *(*PREDICTIONS.values(), TOKEN_COUNTS, SAMPLES, EXPORTS, FAILURE, PRIVACY_KEY, *EXPORT_FOLDERS),
    *(EVALUATIONS, TRACKED, *TRACKER_FILES, REPORT, REPORT_FIGURES, REPORT_PLOTS, REPORT_TEXTS),
    DOSSIER,
)
# What evaluations of a run on other data, each under a name, write into its folder, as patterns.
OF_EVALUATIONS = (
    *("metrics-*.json", "predictions-*.jsonl", "predictions_validation-*.jsonl"),
    *("report-*.html", "report-*/"),  # the page, and the folder with its plots
)

# The folder of a cross-validation.
CROSSVALIDATION_SETTINGS = "crossvalidation.cfg"
CROSSVALIDATION_RESULT = "crossvalidation.json"
OUT_OF_FOLD_PREDICTIONS = "predictions_out_of_fold.jsonl"
CROSSVALIDATION_PAGE = "crossvalidation.html"
CROSSVALIDATION_PLOTS = "plots"  # a folder with the plots of the page
REPEATS = "repeat-[0-9]*/"  # folders, each with the folders of its folds
# What a cross-validation writes beside its repeats.
OF_CROSSVALIDATION = (
    *(CROSSVALIDATION_SETTINGS, CROSSVALIDATION_RESULT, OUT_OF_FOLD_PREDICTIONS),
    *(CROSSVALIDATION_PAGE, CROSSVALIDATION_PLOTS),
)

# The folder of a search.
SEARCH_SETTINGS = "search.cfg"
JOURNAL = "journal.jsonl"  # what the oracle was asked and told
CLOCK = "seconds"  # how long the search has taken, over all sessions
TRIALS = "trials"  # a folder for each trial
RETRAINED = "retrained"  # the run of the best trial on train and validation
BEST_RECIPE = "best.cfg"  # a flagfile for train
TRIAL_RESULT = "trial.json"  # in a trial's folder
TABLE = "search.json"
PAGE = "search.html"
SEARCH_PLOTS = "plots"  # a folder with the plots of the page
# Everything that a search writes into its folder; `restart` removes just these.
OF_SEARCH = (
    *(SEARCH_SETTINGS, JOURNAL, CLOCK, TRIALS, RETRAINED, BEST_RECIPE, TABLE, PAGE),
    SEARCH_PLOTS,
)


def of_evaluation(name: str, file: str) -> str:
    """Return the name of a run's file about an evaluation on other data.

    >>> of_evaluation("later", METRICS)
    'metrics-later.json'
    """
    stem, _, suffix = file.rpartition(".")
    return f"{stem}-{name}.{suffix}"
