"use strict";
// What the server offers, and how to ask it.
const SETTINGS = JSON.parse(document.getElementById("settings").textContent);
const MODEL_URL = `v1/models/${encodeURIComponent(SETTINGS.model)}`;
const $ = (id) => document.getElementById(id);
let signatures = {}, knownClasses = null;

async function call(path, body) {
  const options = body === undefined ? undefined : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error), { status: response.status });
  return answer;
}

// A server returns the values of a single output without its name.
async function predict(instances, signature) {
  const { predictions } = await call(`${MODEL_URL}:predict`, { signature_name: signature, instances });
  const names = Object.keys(signatures[signature].outputs);
  return names.length === 1 ? predictions.map((value) => ({ [names[0]]: value })) : predictions;
}

async function describe() {
  const metadata = await call(`${MODEL_URL}/metadata`);
  signatures = metadata.metadata.signature_def.signature_def;
  $("title").textContent = SETTINGS.model;
  document.title = `${SETTINGS.model}: try the model`;
  $("version").textContent = `Version ${metadata.model_spec.version}`;
  $("pair-field").hidden = $("pair-column-field").hidden = !takesPairs();
  if ("options" in signatures.serving_default.outputs) namePair("Options, one in each line");
  if (asksQuestions()) {
    $("text-label").textContent = "Question";
    namePair("Text that may hold the answer");
  }
}

function namePair(name) {
  $("pair-label").textContent = name;
  $("pair-column-label").textContent = name;
}

const asksQuestions = () => "null_score_diff" in signatures.serving_default.outputs;
const takesPairs = () => "pair" in signatures.serving_default.inputs;
const example = (text, pair) => (takesPairs() ? { text, pair } : { text });

// Return the names of the classes. Without the signature classify, only the best one's is known.
async function classNames(text, pair, answer) {
  if ("classify" in signatures && knownClasses === null) {
    const body = { signature_name: "classify", examples: [example(text, pair)] };
    knownClasses = (await call(`${MODEL_URL}:classify`, body)).results[0].map(([name]) => name);
  }
  if (knownClasses !== null) return knownClasses;
  const first = best(answer.probabilities);
  return answer.probabilities.map((_, index) => (index === first ? answer.label : `class ${index}`));
}

const best = (numbers) => numbers.indexOf(Math.max(...numbers));
const decimal = (number) => String(Number(number.toPrecision(4)));
const percent = (p) => `${(100 * p).toFixed(p > 0.9995 || p < 0.0005 ? 2 : 1)} %`;
// Unlike a probability near 0 or 1, log-odds change visibly when a word is removed.
const logOdds = (p) => Math.log(Math.max(p, 1e-9) / Math.max(1 - p, 1e-9));

function element(tag, text) {
  const created = document.createElement(tag);
  if (text !== undefined) created.textContent = text;
  return created;
}
