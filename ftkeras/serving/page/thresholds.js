// Thresholds that a reader moves: of each of several labels, or of the second of two classes.
const thresholds = { names: [], own: [], moved: [] };

// Set the model's own thresholds, unless the reader sees sliders for these labels already.
function offerThresholds(names, own, title) {
  const key = JSON.stringify([names, own]);
  if (key === thresholds.key) return;
  Object.assign(thresholds, { key, names, own, moved: [...own] });
  $("thresholds-title").textContent = title;
  $("thresholds").hidden = false;
  $("sliders").replaceChildren(...names.map((name, index) => slider(name, index)));
}

function slider(name, index) {
  const row = element("label"), range = element("input"), number = element("output");
  row.className = "slider";
  Object.assign(range, { type: "range", min: 0, max: 1, step: 0.01 });
  range.addEventListener("input", () => {
    thresholds.moved[index] = Number(range.value);
    number.textContent = percent(thresholds.moved[index]);
    showAgain();
  });
  range.value = thresholds.moved[index];
  number.textContent = percent(thresholds.moved[index]);
  row.append(element("span", name), range, number);
  return row;
}

function resetThresholds() {
  thresholds.moved = [...thresholds.own];
  $("sliders").replaceChildren(...thresholds.names.map((name, index) => slider(name, index)));
  showAgain();
}

// Return the labels that reach their thresholds, the most probable first.
function decide({ names, probabilities }) {
  const reached = names.map((_, index) => index).filter((n) => probabilities[n] >= thresholds.moved[n]);
  return reached.sort((a, b) => probabilities[b] - probabilities[a]).map((n) => names[n]);
}

// Return the number of the class that is predicted. Of two, the second one's threshold decides.
function chosenClass({ probabilities }) {
  const isMoved = probabilities.length === 2 && thresholds.moved[0] !== thresholds.own[0];
  return isMoved ? Number(probabilities[1] >= thresholds.moved[0]) : best(probabilities);
}
