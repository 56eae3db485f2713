// Connect the page's controls.
let requestsMade = 0, last = null;

async function update() {
  const number = ++requestsMade, text = $("text").value, pair = $("pair").value;
  // A newer request makes the answer to this one obsolete.
  const current = () => number === requestsMade;
  $("error").textContent = "";
  $("send").setAttribute("aria-disabled", "true");
  $("words").setAttribute("aria-busy", "true");
  try {
    if (!signatures.serving_default) await describe();
    const [answer] = await predict([example(text, pair)], "serving_default");
    if (!current()) return;
    const kind = kindOf(answer), names = kind.hasClasses ? await classNames(text, pair, answer) : null;
    last = { kind, answer, names, texts: { text, pair } };
    kind.offer?.(answer, names);
    showAgain();
    $("answer").hidden = false;
    $("entities").hidden = !kind.marks;
    for (const id of ["why", "words", "legend"]) $(id).hidden = !kind.number;
    if (!kind.number) return void $("words").setAttribute("aria-busy", "false");
    showWords(null);
    const { pieces, explained = kind.name(answer) } = "explain" in signatures
      ? await attribute(text, pair) : { pieces: await occlude(text, pair, answer, current) };
    if (current()) showWords(pieces, explained, kind.sides);
  } catch (error) {
    if (current()) $("error").textContent = error.message || "The server can't be reached.";
  } finally {
    if (current()) $("send").removeAttribute("aria-disabled");
  }
}

// Show the last answer, by the thresholds as they are now.
function showAgain() {
  if (last) last.kind.show(last.answer, last.names, last.texts);
}

function offerExamples() {
  const { examples, examples_of: origin } = SETTINGS;
  if (!examples.length) return;
  $("examples-label").textContent = `Examples from ${origin}`;
  const cut = (text) => (text.length > 70 ? `${text.slice(0, 70)}…` : text);
  const options = examples.map(({ text }, n) => new Option(cut(text), n));
  $("examples").replaceChildren(new Option("Choose a text", ""), ...options);
  $("examples-field").hidden = false;
}

function chooseExample() {
  const chosen = SETTINGS.examples[$("examples").value];
  $("truth").textContent = chosen ? `True answer: ${chosen.truth}` : "";
  if (!chosen) return;
  $("text").value = chosen.text;
  $("pair").value = chosen.pair ?? "";
  update();
}

$("form").addEventListener("submit", (event) => { event.preventDefault(); update(); });
for (const id of ["text", "pair"]) {
  $(id).addEventListener("input", () => { $("examples").value = $("truth").textContent = ""; });
  $(id).addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) update();
  });
}
$("examples").addEventListener("change", chooseExample);
$("reset").addEventListener("click", resetThresholds);
$("file").addEventListener("change", () => orFileError(() => $("file").files.length && openFile($("file").files[0])));
$("delimiter").addEventListener("change", () => orFileError(() => { readRows(); offerColumns(); }));
$("header").addEventListener("change", () => orFileError(offerColumns));
$("text-column").addEventListener("change", () => orFileError(describeFile));
$("answer-file").addEventListener("click", () => orFileError(answerFile));
$("cancel").addEventListener("click", () => { upload.stop = true; });
$("file-hint").textContent = limits();
$("card-panel").hidden = !SETTINGS.has_card;
offerExamples();
describe().catch((error) => { $("error").textContent = error.message || "The server can't be reached."; });
