// The answers that a model can give, by an output that only they have:
// - show: shows one; names are those of the classes, if `hasClasses`;
// - columns, cells: what a file gets for each answer, as `predict` writes it;
// - name, number, numberOf, sides: what its words raise or lower, if that is one number.
const ofMostProbable = {
  number: (answer) => logOdds(answer.probabilities[best(answer.probabilities)]),
  numberOf: (other, answer) => logOdds(other.probabilities[best(answer.probabilities)]),
  sides: { for: "for", against: "against" },
};
const ANSWERS = {
  thresholds: {  // each label is decided on its own; what is explained is the most probable one
    ...ofMostProbable,
    show: showDecisions,
    offer: ({ names, thresholds: own }) => offerThresholds(names, own, "Threshold of each label"),
    columns: ({ names }) => ["predicted", ...names.map((name) => `probability_${name}`)],
    cells: (answer) => [joined(decide(answer), answer.names), ...answer.probabilities],
    name: (answer) => answer.names[best(answer.probabilities)],
  },
  options: {
    show: showOptions,
    columns: () => ["predicted", "predicted_answer", "score", "probabilities"],
    cells: ({ label, answer, score, options, probabilities }) =>
      [label, answer, score, JSON.stringify(probabilities.slice(0, Math.max(1, options.filter(Boolean).length)))],
  },
  probabilities: {
    ...ofMostProbable,
    hasClasses: true,
    show: showLabels,
    offer: (_, names) => names.length === 2 && offerThresholds([names[1]], [0.5], `Threshold of ${names[1]}`),
    columns: (_, names) => ["predicted", ...names.map((name) => `probability_${name}`)],
    cells: (answer, names) => [names[chosenClass(answer)], ...answer.probabilities],
    name: (answer) => answer.label,
  },
  values: {
    show: showNumbers,
    columns: ({ names }) => (names.length === 1 ? ["predicted"] : names.map((name) => `predicted_${name}`)),
    cells: ({ values }) => values,
    name: (answer) => answer.names[0],
    number: (answer) => answer.values[0],
    numberOf: (other) => other.values[0],
    sides: { for: "raises", against: "lowers" },
  },
  cosine: { show: showCosine, columns: () => ["cosine"], cells: ({ cosine }) => [cosine] },
  types: {
    marks: true,
    show: (answer, _, { text }) => showEntities(answer, text),
    columns: () => ["predicted_entities"],
    cells: (answer) => [JSON.stringify(entities(answer))],
  },
  null_score_diff: {
    marks: true,
    show: (answer, _, { pair }) => showSpans(answer, pair),
    columns: () => ["predicted", "predicted_start", "predicted_end", "score", "null_score_diff"],
    cells: ({ answer, start, end, score, null_score_diff: none }) =>
      [...(start < 0 ? ["", "", ""] : [answer, start, end]), score, none],
  },
};

function kindOf(answer) {
  const found = ANSWERS[Object.keys(ANSWERS).find((name) => name in answer)];
  if (!found) throw new Error(`This page can't show the outputs ${Object.keys(answer).join(", ")}.`);
  return found;
}

// Join labels by a character that no name has, as data files have them, or as JSON.
function joined(labels, names) {
  const joint = [",", ";", "|"].find((one) => !names.some((name) => name.includes(one)));
  return joint === undefined ? JSON.stringify(labels) : labels.join(joint);
}

const entities = ({ types, texts, starts, ends, scores, count }) => texts.slice(0, count).map(
  (text, n) => ({ type: types[n], text, start: starts[n], end: ends[n], score: scores[n] }));

// Show one number large, and several in a table.
function showNumbers({ values, names }) {
  const single = values.length === 1;
  headline(single ? decimal(values[0]) : "", single ? names[0] : "");
  fillTable("Predicted numbers", single ? [] : values.map((value, n) => [names[n], decimal(value)]));
}

// Show how similar both texts are.
function showCosine({ cosine }) {
  headline(decimal(cosine), "cosine similarity");
  fillTable("", []);
}

// Show the labels that reach their thresholds, and the probability of each label with its threshold.
function showDecisions(answer) {
  headline(decide(answer).join(", ") || "No label", "");
  const { names, probabilities } = answer;
  showBars(probabilities.map((probability, n) => ({ probability, name: names[n], threshold: thresholds.moved[n] })));
}

// Show the chosen option, and the probability of each that the question has.
function showOptions({ label, score, options, probabilities }) {
  headline(label, `${percent(score)} probability`);
  const rows = options.map((name, index) => ({ probability: probabilities[index], name }));
  showBars(rows.filter(({ name }) => name));
}

function showLabels(answer, names) {
  const chosen = chosenClass(answer);
  headline(names[chosen], `${percent(answer.probabilities[chosen])} probability`);
  const limit = names.length === 2 && thresholds.moved[0] !== 0.5 ? thresholds.moved[0] : undefined;
  showBars(answer.probabilities.map((probability, n) => ({
    probability, name: names[n], threshold: n === 1 ? limit : undefined,
  })));
}

// Offsets count code points, not UTF-16 units.
function slicer(text) {
  const characters = [...text];
  return (start, end) => characters.slice(start, end).join("");
}

// Show the context with the answer marked, and a table of the best answers.
function showSpans({ answer, start, end, score, answers, scores, count }, context) {
  const slice = slicer(context), found = start >= 0;
  const parts = found ? [slice(0, start), element("mark", slice(start, end)), slice(end)] : [context];
  $("entities").replaceChildren(...parts);
  headline(found ? answer : "No answer", percent(score));
  const rows = answers.slice(0, Math.min(count, 5)).map((text, n) => [text, percent(scores[n])]);
  fillTable("The best answers and their scores", rows);
}

// Show the text with its entities marked, and a table of them.
function showEntities(answer, text) {
  const found = entities(answer), kinds = [...new Set(found.map(({ type }) => type))].sort();
  const slice = slicer(text), parts = [];
  let shown = 0;
  for (const { type, start, end } of found) {
    const mark = element("mark", slice(start, end));
    mark.style.backgroundColor = `hsl(${(205 + 137 * kinds.indexOf(type)) % 360} 70% 50% / .3)`;
    mark.append(element("small", type));
    parts.push(slice(shown, start), mark);
    shown = end;
  }
  $("entities").replaceChildren(...parts, slice(shown));
  headline(found.length === 1 ? "1 entity" : `${found.length} entities`, "");
  const rows = found.map((one) => [one.text, one.type, percent(one.score)]);
  fillTable("Entities, their types and scores", rows);
}

function headline(label, score) {
  $("label").textContent = label;
  $("score").textContent = score;
}

// Show rows of a name, maybe further cells, and a number; no table if there is none.
function fillTable(caption, rows) {
  $("table").hidden = !rows.length;
  $("table").caption.textContent = caption;
  $("probabilities").replaceChildren(...rows.map(([name, ...cells]) => {
    const row = element("tr"), head = element("th", name);
    head.scope = "row";
    row.append(head, ...cells.map((cell) => element("td", cell)));
    row.lastChild.className = "number";
    return row;
  }));
}

// Show probabilities as bars, the largest first; a label that reaches its threshold is bold.
function showBars(rows) {
  rows.sort((a, b) => b.probability - a.probability);
  fillTable("Probability of each label", rows.map(({ probability, name }) => [name, "", percent(probability)]));
  rows.forEach(({ probability, threshold }, index) => {
    const [head, bar, number] = $("probabilities").rows[index].cells;
    const track = element("div"), fill = element("div");
    bar.className = "bar"; track.className = "track"; fill.className = "fill";
    fill.style.width = `${100 * probability}%`;
    track.append(fill); bar.append(track);
    if (threshold === undefined) return;
    const mark = element("div"), limit = `threshold ${percent(threshold)}`;
    mark.className = "mark"; mark.style.left = `${100 * threshold}%`;
    track.append(mark); track.title = limit;
    if (probability >= threshold) head.style.fontWeight = "700";
    const spoken = element("span", `, ${limit}`);
    spoken.className = "visually-hidden"; number.append(spoken);
  });
}
