// Read and write tables of separated values, as RFC 4180 describes them.
const SEPARATORS = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar" };
const LOOKED_AT = 30;

// Decode a file: UTF-8, or UTF-16 with its mark; otherwise Windows-1252, as older spreadsheets write.
function decodeText(bytes) {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return { text: new TextDecoder("utf-16le").decode(bytes), encoding: "UTF-16" };
  if (first === 0xfe && second === 0xff) return { text: new TextDecoder("utf-16be").decode(bytes), encoding: "UTF-16" };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), encoding: "UTF-8" };
  } catch {
    return { text: new TextDecoder("windows-1252").decode(bytes), encoding: "Windows-1252" };
  }
}

// Return the rows of a table, each {cells, line}. A field that starts with a quotation mark ends at the
// next one that is not doubled, and may hold separators and line breaks. Empty lines are no rows.
function parseTable(text, separator, most = Infinity) {
  const rows = [];
  let cells = [], line = 1, at = 0;
  const start = () => ({ cells, line });
  let row = start();
  while (at < text.length && rows.length < most) {
    let field = "";
    if (text[at] === '"') {
      for (let end = at + 1; ; end += 2) {
        end = text.indexOf('"', end);
        if (end < 0) throw new Error(`The quotation mark that opens a field of the row in line ${row.line} is never closed.`);
        if (text[end + 1] === '"') continue;
        field = text.slice(at + 1, end).replaceAll('""', '"');
        at = end + 1;
        break;
      }
      line += field.split(/\r\n|\r|\n/).length - 1;
    }
    let stop = at;
    while (stop < text.length && text[stop] !== separator && text[stop] !== "\n" && text[stop] !== "\r") stop += 1;
    cells.push(field + text.slice(at, stop));
    at = stop + 1;
    if (text[stop] === separator && at < text.length) continue;
    if (text[stop] === separator) cells.push("");
    if (text[stop] === "\r" && text[at] === "\n") at += 1;
    if (cells.length > 1 || cells[0] !== "") rows.push(row);
    line += 1;
    cells = [];
    row = start();
  }
  return rows;
}

// Return the separator by which the first row has several columns, and most others have as many.
function guessSeparator(text) {
  let found = ",", most = [0, 0];
  for (const separator of Object.keys(SEPARATORS)) {
    let rows;
    try { rows = parseTable(text, separator, LOOKED_AT); } catch { continue; }
    const width = rows[0]?.cells.length ?? 0;
    const share = rows.filter(({ cells }) => cells.length === width).length / rows.length;
    if (width > 1 && (share > most[0] || (share === most[0] && width > most[1]))) [found, most] = [separator, [share, width]];
  }
  return found;
}

// Return rows of strings and numbers as text. Numbers have seven digits, as float32 has.
function writeTable(rows, separator, lineBreak) {
  const special = new RegExp(`["\\r\\n]|^\\s|\\s$|${separator === "|" ? "\\|" : separator}`);
  const written = (cell) => {
    const text = typeof cell === "number" ? String(Number(cell.toPrecision(7))) : String(cell ?? "");
    return special.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(written).join(separator) + lineBreak).join("");
}
