// What the newest answer says about a place in the document. An answer is {document, plan} where the service understood the
// question, {document, problem} where it refused it, {document, failure} where it could not be reached.
import { inputShapes, placeOf, samePlace, spatialAxes } from './document.js';

/** The planned layer at a place; null while there is none. */
export function plannedAt(answer, place) {
  return (place && answer?.plan?.[place.list]?.[place.index]) || null;
}

/** All planned layers in the order in which they run. */
export const plannedLayers = (answer) =>
  answer?.plan ? [...(answer.plan.layers ?? []), ...(answer.plan.encoder ?? []), ...(answer.plan.decoder ?? [])] : [];

/** What is wrong, in one form: findings of a plan, and the errors of a problem: {code, severity, pointer, detail, suggestion,
 *  fix, axis}. */
export function findingsOf(answer) {
  if (answer?.plan) return answer.plan.findings;
  return (answer?.problem?.errors ?? []).map((error) => ({ severity: 'error', ...error }));
}

export const findingsAt = (answer, place) => findingsOf(answer).filter(({ pointer }) => samePlace(placeOf(pointer), place));

/** Findings of one code at one layer with the same repair, such as those of each axis, told once: {…finding, axes}. */
export function merged(findings) {
  const byRepair = new Map();
  for (const finding of findings) {
    const key = JSON.stringify([finding.code, finding.pointer, finding.fix ?? finding.suggestion, finding.axis ? null : finding.detail]);
    if (byRepair.has(key)) byRepair.get(key).axes.push(finding.axis);
    else byRepair.set(key, { ...finding, axes: finding.axis ? [finding.axis] : [] });
  }
  return [...byRepair.values()];
}

/** The shape that goes into the layer at a place (into its first source), or null. */
export function inputShapeAt(document, answer, place) {
  const plan = plannedAt(answer, place);
  if (!plan?.from?.length) return null;
  const [name] = plan.from;
  // A decoder's own names come before the encoder's.
  const lists = place.list === 'decoder' ? ['decoder', 'encoder'] : [place.list];
  for (const list of lists) {
    const source = answer.plan[list].find((layer) => layer.name === name);
    if (source) return source.output;
  }
  return inputShapes(answer.document)[name] ?? null;
}

export const spatialSizes = (document, shape) => shape && spatialAxes(document, shape.length).map((axis) => shape[axis]);

/** The worst severity at each place: a map from "list/index" to {severity, count}. */
export function marks(answer) {
  const found = new Map();
  for (const finding of findingsOf(answer)) {
    const place = placeOf(finding.pointer);
    if (!place) continue;
    const key = `${place.list}/${place.index}`;
    const before = found.get(key);
    const severity = before?.severity === 'error' ? 'error' : finding.severity;
    found.set(key, { severity, count: (before?.count ?? 0) + 1 });
  }
  return found;
}
