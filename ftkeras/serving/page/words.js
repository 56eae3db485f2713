// What each word contributes to the answer: the model's own attributions, or by leaving out each word.
// Bounds of a request, and of the pieces that a text is split into for its explanation.
const ROWS_PER_REQUEST = 32, CHARACTERS_PER_REQUEST = 150_000, MAX_PIECES = 96;

// Remove each piece of the text in turn, and return how much the answer's number falls.
async function occlude(text, pair, answer, current) {
  const words = [...text.matchAll(/\S+\s*/g)].map((found) => found[0]);
  if (!words.length) return [];
  const size = Math.ceil(words.length / MAX_PIECES), pieces = [];
  for (let start = 0; start < words.length; start += size) pieces.push(words.slice(start, start + size).join(""));
  const kind = kindOf(answer);
  const without = pieces.map((_, removed) => example(pieces.filter((_, index) => index !== removed).join(""), pair));
  const rows = Math.max(1, Math.min(ROWS_PER_REQUEST, Math.floor(CHARACTERS_PER_REQUEST / text.length)));
  const weights = [];
  for (let start = 0; start < without.length && current(); start += rows) {
    const answers = await predict(without.slice(start, start + rows), "serving_default");
    weights.push(...answers.map((other) => kind.number(answer) - kind.numberOf(other, answer)));
  }
  return pieces.map((piece, index) => ({ piece, weight: weights[index] }));
}

// Return the model's own attributions, with the tokens joined to words, and the output that they explain.
async function attribute(text, pair) {
  const [{ tokens, attributions, explained }] = await predict([example(text, pair)], "explain");
  const pieces = [];
  tokens.forEach((token, index) => {
    if (!token || ["[CLS]", "[SEP]", "[PAD]"].includes(token)) return;
    const last = pieces[pieces.length - 1];
    if (token.startsWith("##") && last) {
      last.piece += token.slice(2);
      last.weight += attributions[index];
    } else pieces.push({ piece: token, weight: attributions[index] });
  });
  return { pieces: asWritten(pieces, pair ? `${text} ${pair}` : text), explained };
}

// Show the words as they were typed, if there are as many as the model has read.
function asWritten(pieces, text) {
  const typed = [...text.matchAll(/([\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}])(\s*)/gu)];
  if (typed.length === pieces.length) return pieces.map(({ weight }, index) => ({ piece: typed[index][0], weight }));
  return pieces.map(({ piece, weight }) => ({ piece: `${piece} `, weight }));
}

function showWords(pieces, name, sides) {
  const words = $("words");
  words.setAttribute("aria-busy", String(pieces === null));
  $("legend").replaceChildren();
  $("spoken").textContent = "";
  if (pieces === null) return void (words.textContent = "…");
  if (!pieces.length) return void (words.textContent = "The text has no words.");
  const most = Math.max(...pieces.map(({ weight }) => Math.abs(weight)), 1e-6);
  words.replaceChildren(...pieces.flatMap(({ piece, weight }) => {
    const span = element("span", piece.trimEnd()), share = weight / most;
    const side = weight >= 0 ? "for" : "against";
    span.style.backgroundColor = `rgba(var(--${side}), ${(0.6 * Math.abs(share)).toFixed(3)})`;
    if (share < -0.15) span.className = "against";
    span.title = `${sides[side]} ${name}: ${weight.toFixed(3)}`;
    return [span, piece.slice(piece.trimEnd().length)];
  }));
  $("legend").append(key("for"), `${sides.for} ${name}`, key("against"), `${sides.against} ${name}`);
  const strongest = [...pieces].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, 5);
  $("spoken").textContent = `Strongest: ${strongest.map(({ piece, weight }) => `${piece.trim()} ${sides[weight >= 0 ? "for" : "against"]}`).join(", ")}.`;
}

function key(side) {
  const box = element("span");
  box.className = "key"; box.style.backgroundColor = `rgba(var(--${side}), .6)`;
  return box;
}
