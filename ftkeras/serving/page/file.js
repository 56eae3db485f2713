// Answer the texts of a file row by row, and offer the file with the answers as a download.
// The file itself stays in the browser.
const MOST_BYTES = 20 * 2 ** 20, MOST_ROWS = 20_000;
const ROWS_TOGETHER = 32, CHARACTERS_TOGETHER = 20_000, ATTEMPTS = 4;
const upload = { name: "", text: "", encoding: "", rows: [], stop: false };

function limits() {
  return `Up to ${MOST_BYTES / 2 ** 20} MB and ${MOST_ROWS.toLocaleString("en")} rows. The file is read in this ` +
    "browser. Its texts are sent to the server, which answers them and stores none.";
}

async function openFile(file) {
  $("file-settings").hidden = true;
  fileError("");
  if (file.size > MOST_BYTES) {
    throw new Error(`${file.name} has ${(file.size / 2 ** 20).toFixed(1)} MB; at most ${MOST_BYTES / 2 ** 20} can be answered here. Use: ftkeras predict.`);
  }
  const { text, encoding } = decodeText(new Uint8Array(await file.arrayBuffer()));
  if (text.includes("\0")) throw new Error(`${file.name} is not a text file; save the table as CSV.`);
  Object.assign(upload, { name: file.name, text, encoding });
  const separator = guessSeparator(text);
  $("delimiter").replaceChildren(...Object.entries(SEPARATORS).map(([value, name]) => new Option(name, value)));
  $("delimiter").value = separator;
  readRows();
  const [first] = upload.rows;
  $("header").checked = first.cells.every((cell) => cell.trim() && Number.isNaN(Number(cell)) && cell.length < 100) &&
    new Set(first.cells).size === first.cells.length;
  offerColumns();
}

function readRows() {
  upload.rows = parseTable(upload.text, $("delimiter").value);
  if (!upload.rows.length) throw new Error(`${upload.name} has no rows.`);
  if (upload.rows.length > MOST_ROWS + 1) {
    throw new Error(`${upload.name} has ${upload.rows.length.toLocaleString("en")} rows; at most ${MOST_ROWS.toLocaleString("en")} can be answered here. Use: ftkeras predict.`);
  }
}

// Return the names of all columns, and the rows below them.
function table() {
  const width = Math.max(...upload.rows.map(({ cells }) => cells.length));
  const [first, ...others] = upload.rows, named = $("header").checked;
  const names = Array.from({ length: width }, (_, n) => (named && first.cells[n]) || `column ${n}`);
  return { names, rows: named ? others : upload.rows };
}

// Choose the columns that the model was trained on, if they are there; otherwise the longest ones.
function offerColumns() {
  const { names, rows } = table();
  const length = (n) => rows.slice(0, LOOKED_AT).reduce((sum, { cells }) => sum + (cells[n] ?? "").length, 0);
  const order = names.map((_, n) => n).sort((a, b) => length(b) - length(a)).slice(0, 2);
  if (takesPairs() && asksQuestions()) order.reverse();  // a question is shorter than its context
  const choose = (wanted, fallback) => {
    const found = names.findIndex((name) => wanted.includes(name));
    return found < 0 ? fallback : found;
  };
  for (const [id, chosen] of [
    ["text-column", choose(SETTINGS.columns.text, order[0])],
    ["pair-column", choose(SETTINGS.columns.pair, order[1] ?? 0)],
  ]) {
    $(id).replaceChildren(...names.map((name, n) => new Option(name, n)));
    $(id).value = chosen;
  }
  $("file-settings").hidden = false;
  describeFile();
}

// Say what was read: a wrong separator or quotation mark is seen here.
function describeFile() {
  const { names, rows } = table(), column = Number($("text-column").value);
  const expected = $("header").checked ? upload.rows[0].cells.length : names.length;
  const odd = rows.filter(({ cells }) => cells.length !== expected);
  const empty = rows.filter(({ cells }) => !(cells[column] ?? "").trim()).length;
  const notes = [`${rows.length.toLocaleString("en")} rows, ${names.length} columns, ${upload.encoding}.`];
  if (odd.length) notes.push(`${odd.length} rows do not have ${expected} fields; the first is in line ${odd[0].line}. Check the separator and quotation marks.`);
  if (empty) notes.push(`${empty} texts are empty; they are answered too.`);
  $("file-notes").textContent = notes.join(" ");
  const sample = rows[0]?.cells[column] ?? "";
  $("preview").textContent = rows.length ? `First text: ${sample.length > 160 ? `${sample.slice(0, 160)}…` : sample}` : "";
  fileError(rows.length ? "" : `${upload.name} has no rows below its first one.`);
  $("answer-file").disabled = !rows.length;
}

// Return the positions at which requests begin: of few rows, and of few characters.
function* requests(texts) {
  let start = 0, characters = 0;
  for (let n = 0; n < texts.length; n += 1) {
    const length = texts[n].text.length + (texts[n].pair ?? "").length;
    if (n > start && (n - start === ROWS_TOGETHER || characters + length > CHARACTERS_TOGETHER)) {
      yield texts.slice(start, n);
      [start, characters] = [n, 0];
    }
    characters += length;
  }
  if (start < texts.length) yield texts.slice(start);
}

// Ask again after a while if the server has no capacity or can't be reached.
async function askPatiently(instances, firstRow) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await predict(instances, "serving_default");
    } catch (error) {
      const passes = error.status === undefined || error.status === 429 || error.status === 503;
      if (!passes || attempt === ATTEMPTS) {
        throw new Error(`Rows ${firstRow} to ${firstRow + instances.length - 1} were not answered: ${error.status === undefined ? "the server can't be reached." : error.message}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
    }
  }
}

// Answer all rows, and return the table with the answers; null if the reader cancels.
async function answerRows() {
  const { names, rows } = table();
  const [text, pair] = ["text-column", "pair-column"].map((id) => Number($(id).value));
  const texts = rows.map(({ cells }) => example(cells[text] ?? "", cells[pair] ?? ""));
  const answers = [];
  for (const batch of requests(texts)) {
    if (upload.stop) return null;
    answers.push(...await askPatiently(batch, answers.length + 1));
    progress(answers.length, rows.length);
  }
  const kind = kindOf(answers[0]);
  const classes = kind.hasClasses ? await classNames(texts[0].text, texts[0].pair, answers[0]) : null;
  kind.offer?.(answers[0], classes);
  const columns = kind.columns(answers[0], classes).map((name) => unused(name, names));
  const content = rows.map(({ cells }, n) => [...names.map((_, at) => cells[at] ?? ""), ...kind.cells(answers[n], classes)]);
  return [[...names, ...columns], ...content];
}

// Return a name that no column of the file has.
function unused(name, names) {
  let found = name;
  for (let n = 2; names.includes(found); n += 1) found = `${name}_${n}`;
  return found;
}

async function answerFile() {
  upload.stop = false;
  working(true);
  try {
    const rows = await answerRows();
    if (rows === null) return void ($("progress-text").textContent = "Cancelled; nothing was downloaded.");
    const lineBreak = upload.text.includes("\r\n") ? "\r\n" : "\n";
    const name = upload.name.replace(/(\.[^.]*)?$/, (suffix) => `-answers${suffix || ".csv"}`);
    download(name, writeTable(rows, $("delimiter").value, lineBreak));
    $("progress-text").textContent = `${(rows.length - 1).toLocaleString("en")} rows are answered: ${name}`;
  } finally {
    working(false);
  }
}

// The mark at the start makes spreadsheets read UTF-8.
function download(name, text) {
  const link = element("a"), url = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function working(isWorking) {
  $("answer-file").disabled = isWorking;
  $("cancel").hidden = $("progress").hidden = !isWorking;
  if (isWorking) progress(0, 1);
}

function progress(done, of) {
  $("progress").value = done / of;
  $("progress-text").textContent = done ? `${done.toLocaleString("en")} of ${of.toLocaleString("en")} rows` : "";
}

const fileError = (text) => { $("file-error").textContent = text; };
const orFileError = (work) => Promise.resolve().then(work).catch((error) => fileError(error.message));
