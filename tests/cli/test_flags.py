import subprocess
import sys

import pytest

from ftkeras import catalog
from ftkeras.cli import commands, completion, flags, help
from ftkeras.cli.commands import VERBS
from ftkeras.config import encoders, find_rate, flagfile, measuring, plot, pretrain, tune
from ftkeras.config.predict import PredictConfig
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from tests.running import FLAGS


def test_no_verb_means_train():
    command = flags.parse(["--task=imdb", "--learning_rate=2e-5"])
    assert command == flags.Command("train", Config(task="imdb", learning_rate=2e-5))


def test_nothing_at_all_shows_the_most_common_commands():
    command = flags.parse([])
    assert command.config is None
    for verb in ("train reviews.csv", "predict --model=", "serve --model="):
        assert verb in command.help


def test_own_data_is_recorded_as_a_task():
    spec = "classification(train='a.csv', test='b.csv', text=('title', 'body'), header=False)"
    arguments = ["--test_data=b.csv", "--text_column=title,body", "--header=false"]
    for given in (["train", "a.csv", *arguments], ["--data=a.csv", *arguments]):
        config = flags.parse(given).config
        assert config == Config(task=spec)
        assert f"--task={spec}" in flagfile.arguments(config)


def test_file_in_the_place_of_a_verb_gives_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").touch()
    with pytest.raises(UserError, match=r"write: train x\.csv"):
        flags.parse(["x.csv"])


def test_repeated_flag_is_kept_in_order():
    command = flags.parse(["predict", "--model=m", "--text=one", "--text=two"])
    assert command.config == PredictConfig(model="m", text=("one", "two"))


def test_recipe_is_found_by_its_name_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = flags.parse(["--flagfile=minilm", "--seed=7"]).config
    assert (config.encoder, config.seed) == ("sentence-transformers/all-MiniLM-L6-v2", 7)
    assert flags.parse(["train", "--flagfile=minilm.cfg"]).config.batch_size == 16


def test_own_flagfile_named_like_a_recipe_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "minilm.cfg").write_text("--task=quickstart\n")
    assert flags.parse(["--flagfile=minilm.cfg"]).config.task == "quickstart"


def test_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match=r"'miniml'.*one of .*, minilm, quickstart,"):
        flags.parse(["--flagfile=miniml"])


def test_flag_after_a_flagfile_wins(tmp_path):
    (tmp_path / "a.cfg").write_text("# a recipe\n--epochs=5\n--batch_size=8\n")
    config = flags.parse([f"--flagfile={tmp_path / 'a.cfg'}", "--epochs=2"]).config
    assert (config.epochs, config.batch_size) == (2, 8)


def test_rendered_config_can_be_read_again(tmp_path):
    config = Config(
        encoder="bert(layers=2, vocabulary='a b.txt')",
        train_examples=10,
        export=("huggingface", "saved_model"),
        deterministic=False,
        warmup="7",
    )
    (tmp_path / "run.cfg").write_text(flagfile.render(config))
    assert flags.parse([f"--flagfile={tmp_path / 'run.cfg'}"]).config == config


def test_recorded_settings_omit_the_run_folder():
    assert "run_dir" not in flagfile.render(Config(run_dir="runs/here"))


def test_finished_run_keeps_its_recorded_settings(tmp_path):
    (tmp_path / "run.cfg").write_text(flagfile.render(Config(epochs=7, export=("saved_model",))))
    config = flags.parse(["export", f"--run_dir={tmp_path}", "--export=huggingface"]).config
    assert (config.epochs, config.export, config.run_dir) == (7, ("huggingface",), str(tmp_path))


def test_a_task_without_files_takes_them_from_data():
    command = ["train", "--data=pairs.csv", "--label_column=score", "--task=similarity(high=5)"]
    config = flags.parse(command).config
    assert config.task == "similarity(train='pairs.csv', label='score', high=5)"
    assert config.data == ()


def test_run_is_evaluated_on_other_data_in_the_short_form(tmp_path):
    recorded = Config(task="classification(train='a.csv')", test_examples=9, data_dir="x", epochs=7)
    (tmp_path / "run.cfg").write_text(flagfile.render(recorded))
    for flag in ("data", "test_data"):
        command = ["evaluate", f"--run_dir={tmp_path}", f"--{flag}=b.csv", "--label_column=stars"]
        config = flags.parse(command).config
        assert config.task == "classification(train='b.csv', label='stars')"
        assert (config.test_examples, config.data_dir, config.epochs) == (None, None, 7)
    assert flags.parse([*command, "--test_examples=5"]).config.test_examples == 5
    with pytest.raises(UserError, match="can't be combined with task=imdb"):
        flags.parse([*command, "--task=imdb"])


def test_export_of_a_run_without_exports_writes_the_default(tmp_path):
    arguments = ["export", f"--run_dir={tmp_path}"]
    for recorded in (("none",), ("huggingface", "none")):
        (tmp_path / "run.cfg").write_text(flagfile.render(Config(export=recorded)))
        assert flags.parse(arguments).config.export == ("saved_model",)
    assert flags.parse([*arguments, "--export=onnx"]).config.export == ("onnx",)
    assert flags.parse([*arguments, "--export=none"]).config.exports == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--taks=imdb"], "no flag --taks; did you mean --task"),
        (["trian"], "no verb 'trian'; did you mean train. The verbs are: train, evaluate, export"),
        (["traine"], "did you mean train"),
        (["--helpfull"], "no flag --helpfull; did you mean --help?"),
        (["--lr=1e-5"], "no flag --lr; did you mean --learning_rate"),
        (["--max_seq_length=9"], "did you mean --max_length"),
        (["--num_train_epochs=9"], "no flag --num_train_epochs; use --epochs"),
        (["--metric_for_best_model=f1"], "no flag --metric_for_best_model; use --objective"),
        (["--weight_decay=0.1"], r'--weight_decay; use --optimizer="adamw\(decay=…\)"\.'),
        (["find_rate", "--highest_rate=1"], "there is no flag --highest_rate; use --max_rate"),
        (
            ["drift", "--least_effect=1"],
            "there is no flag --least_effect; did you mean --min_effect",
        ),
        (["--warmup_ratio=0.1"], "there is no flag --warmup_ratio; use --warmup, which"),
        (
            ["--label_smoothing=0.1"],
            r'it is a key: .* or --loss="cross_entropy\(label_smoothing=…\)"',
        ),
        (["--dropout=0.1"], r'"bert\(dropout=…\)" or --head="classification\(dropout=…\)" or'),
        (["help", "cosin"], "no verb, part or flag 'cosin'; did you mean cosine"),
        (["--epochs=many"], "--epochs must be an integer or auto. Received: 'many'"),
        (["--clip_norm=x"], "--clip_norm must be a number. Received: 'x'"),
        (
            ["help", "trian"],
            "no verb, part or flag 'trian'; did you mean train. The verbs are: train",
        ),
        (["help", "polcy"], "no verb, part or flag 'polcy'; did you mean policy"),
        (["help", "a", "b"], "no verb, part or flag 'a b'"),
        (["--notest=x"], "--notest=x does not take an argument"),
        (["--task"], "task"),
        (["evaluate", "imdb"], "unexpected argument 'imdb'"),
        (["--data=x.csv", "--task=quickstart"], "`data` can't be combined with task=quickstart"),
        (
            ["--data=x.csv", "--task=similarity(train='y.csv')"],
            r"`data` can't be combined with task=similarity\(train='y.csv'\)",
        ),
        (
            ["--data=x.csv", "--task=similarity(text='a')", "--text_column=b"],
            "`text_column` is also given in task=similarity",
        ),
        (
            ["--data=x.csv", "--task=multi_label(separator=';')", "--label_separator=,"],
            "`label_separator` is also given in task=multi_label",
        ),
        (["--data=x.csv", "--task=similarty"], "did you mean similarity"),
        (["--text_column=body"], "`text_column` needs `data`"),
        (["--data=x", "--label_names=1=a,2="], "`label_names` must read LABEL=NAME"),
        (["--data=x", "--label_names=1=a,1=b"], "`label_names` names a label twice"),
        (["--flagfile=nowhere.cfg"], "--flagfile.*nowhere.cfg"),
        (["evaluate"], "needs --run_dir"),
        (["evaluate", "--run_dir=nowhere"], "run_dir=nowhere"),
        (["predict", "--epochs=3"], "no flag --epochs"),
    ],
)
def test_wrong_command_line_gives_an_error_of_one_line(arguments, message):
    with pytest.raises(UserError, match=message) as caught:
        flags.parse(arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("verb", ["evaluate", "export", "report"])
def test_home_directory_is_expanded_before_the_run_is_read(verb, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "run.cfg").write_text("--task=quickstart\n--seed=7\n")
    config = flags.parse([verb, "--run_dir=~"]).config
    assert (config.run_dir, config.seed) == (str(tmp_path), 7)


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_help_names_every_flag_and_part(verb):
    text, verb = help.page(verb), verb or "train"
    entry = VERBS[verb]
    for field in commands.flag_fields(entry.config):
        shown = entry.groups is None or field.metadata["group"] in entry.groups
        shown &= field.name in entry.takes or field.name not in commands.OF_TRAIN
        assert (f"\n  --{field.name} " in text) == shown
    if entry.config is Config and entry.groups is None:
        for kind in set(catalog.KINDS) - {"oracle", "masking"}:  # of tune and pretrain
            assert all(name in text for name in catalog.names(kind))
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize(
    ("verb", "hidden", "shown"),
    [
        ("evaluate", "epochs", "test_data"),
        ("pretrain", "label_column", "text_column"),
        ("find_rate", "private", "regularizer"),
        ("plot", "canaries", "warmup"),
        ("encoders", "folds", "max_length"),
        ("crossvalidate", "fold", "folds"),
        ("tune", "run_dir", "search_dir"),
    ],
)
def test_help_and_completion_hide_flags_that_a_verb_does_not_use(verb, hidden, shown):
    for text in (help.page(verb), completion.script(["bash"]).split(f"        {verb}) found=")[1]):
        words = text.partition(";;")[0].replace("=", " ").split()
        assert f"--{shown}" in words
        assert f"--{hidden}" not in words


def test_names_of_hidden_flags_are_flags_of_train():
    lists = (
        *(find_rate.UNUSED, pretrain.UNUSED, plot.USED, encoders.USED),
        *(module.REFUSED for module in (find_rate, measuring, pretrain, tune)),
    )
    for names in lists:
        assert set(names) <= commands.OF_TRAIN


TEXTS = {
    ("--help",): "--flagfile",
    ("predict", "--help"): "--flagfile",
    ("help", "-h"): "--flagfile",
    ("help", "bert"): "vocabulary",
    ("--version",): "tensorflow",
    ("completion", "fish"): "complete -c ftkeras",
}


@pytest.mark.parametrize("arguments", TEXTS)
def test_help_loads_no_framework(arguments):
    code = (
        "import sys; from ftkeras.main import main; code = main(sys.argv[1:]); "
        "sys.exit(code or bool({'tensorflow', 'keras', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert TEXTS[arguments] in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--schedule=cosin"], "Received: 'cosin'; did you mean cosine?"),
        (["--optimizer=adamw(decay=-1)"], "--optimizer=adamw(decay=-1): `decay` must be at least"),
        (["launch", "--", "--policy=lora(rnk=3)"], "did you mean rank?"),
        (["tune", "--search=policy=choice(full, lora(rnk=int(1, 9)))"], "--search: at"),
        (["tune", "--oracle=gird"], "did you mean grid?"),
    ],
)
def test_wrong_spec_is_reported_before_a_framework_is_loaded(arguments, message):
    code = (
        "import sys; from ftkeras.main import main; code = main(sys.argv[1:]); "
        "print(*{'tensorflow', 'keras', 'numpy'} & set(sys.modules)); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_version_names_the_main_packages():
    for arguments in (["--version"], ["-V"]):
        lines = flags.parse(arguments).help.splitlines()
        names = ["ftkeras", "python", "keras", "tensorflow", "tensorflow-text"]
        assert [line.split()[0] for line in lines] == names


@pytest.mark.parametrize("verb", VERBS)
def test_help_on_a_verb_is_its_help_page(verb):
    assert flags.parse(["help", verb]).help == flags.parse([verb, "--help"]).help


def test_help_on_a_part_shows_its_formula_and_its_keys_with_defaults():
    text = flags.parse(["help", "cosine"]).help
    assert text.startswith('--schedule="cosine(cycles=…)"')
    assert "rate(t) = end + (peak - end)" in text
    assert "\n  cycles         number of cycles; an integer from 1 to `total_steps`. [1]" in text
    assert "peak is --learning_rate" in text
    for hidden in ("\n  peak ", "\n  total_steps ", ">>>", "Raises", "ValueError"):
        assert hidden not in text


def test_help_on_an_encoder_shows_what_every_encoder_takes():
    text = flags.parse(["help", "bert"]).help
    for key in ("checkpoint", "vocabulary", "lowercase", "layers"):
        assert f"\n  {key} " in text
    for hidden in ("hooks", "initial", "seed"):
        assert f"\n  {hidden} " not in text


def test_help_on_an_encoder_knows_its_model_type():
    text = flags.parse(["help", "deberta-v2"]).help
    assert text == flags.parse(["help", "deberta_v2"]).help
    assert text.startswith('--encoder="deberta_v2(')


def test_help_of_a_flag_names_its_verbs_and_parts():
    text = flags.parse(["help", "policy"]).help
    assert text.startswith("  --policy of train, pretrain,")
    assert "layerwise, lora" in text
    assert "help PART" in text
    assert flags.parse(["help", "--max-length"]).help.startswith("  --max_length of train,")
    by_verb = flags.parse(["help", "output"]).help
    assert "--output of drift\n  Write the result to this JSON file." in by_verb


def test_help_on_a_name_of_several_kinds_shows_all():
    text = flags.parse(["help", "classification"]).help
    assert '--task="classification(train=…)"' in text
    assert '--head="classification(dropout=…)"' in text
    assert "train       a file, folder or glob pattern with the examples" in text


@pytest.mark.parametrize("recipe", sorted(FLAGS.glob("*.cfg")), ids=lambda path: path.name)
def test_recipe_is_valid(recipe):
    from ftkeras.experiment import checks

    verbs = {"tune.cfg": "tune", "imdb_cpu_pretraining.cfg": "pretrain"}
    command = flags.parse([verbs.get(recipe.name, "train"), f"--flagfile={recipe}"])
    config = command.config
    checks.check(config.run_config() if command.verb == "pretrain" else config)


def test_help_of_report_has_the_folder_and_that_of_pretrain_no_labels():
    assert "\n  --run_dir " in help.page("report")
    assert "\n  --few_shot " not in help.page("pretrain")
