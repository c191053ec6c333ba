// Differential + base = snapshot, as far as a validator needs it.
//
// Profiles as their authors write them carry only what they change; @medplum/core reads only the full list.
// `lookup(url)` gives a StructureDefinition. What cannot be placed is an error: a rule that is dropped checks nothing.

const TYPE_URL = "http://hl7.org/fhir/StructureDefinition/";

export function withSnapshot(definition, lookup) {
  if (definition.snapshot) return definition;
  const base = lookup(definition.baseDefinition);
  if (!base) throw new Error(`${definition.url}: its base ${definition.baseDefinition} is not known`);
  const elements = structuredClone(withSnapshot(base, lookup).snapshot.element);
  for (const change of definition.differential.element) constrain(place(elements, change.id, lookup), change);
  return { ...definition, snapshot: { element: elements } };
}

// Finds the element with this id. One that is not there yet is a new slice, a child of a slice, or a child of a
// datatype; it starts as a copy of what it narrows.
function place(elements, id, lookup) {
  const present = elements.find((element) => element.id === id);
  if (present) return present;
  const dot = id.lastIndexOf(".");
  const colon = id.indexOf(":", dot);
  const parentId = colon > 0 ? id.slice(0, colon) : id.slice(0, dot);
  if (parentId.length < 1) throw new Error(`cannot place ${id}`);
  const parent = place(elements, parentId, lookup);
  const origin = colon > 0 ? parent : originOf(elements, parent, id.slice(dot + 1), lookup);
  const added = { ...structuredClone(origin), id, path: id.replaceAll(/:[^.]+/g, "") };
  if (colon > 0) {
    delete added.slicing;
    added.min = 0; // the list must hold one, this slice need not
    added.sliceName = id.slice(colon + 1);
  }
  const last = elements.findLastIndex((element) => element.id === parentId || isBelow(element.id, parentId));
  elements.splice(last + 1, 0, added);
  return added;
}

const isBelow = (id, parentId) => id.startsWith(`${parentId}.`) || id.startsWith(`${parentId}:`);

function originOf(elements, parent, name, lookup) {
  const unsliced = elements.find((element) => element.id === `${parent.path}.${name}`);
  if (unsliced) return unsliced;
  const type = parent.type?.length === 1 ? parent.type[0].code : undefined;
  const origin = lookup(TYPE_URL + type)?.snapshot.element.find((element) => element.id === `${type}.${name}`);
  if (!origin) throw new Error(`cannot place ${parent.id}.${name}: ${type ?? "the parent's type"} has no such element`);
  return origin;
}

function constrain(element, { constraint = [], ...change }) {
  const inherited = (element.constraint ?? []).filter(({ key }) => !constraint.some((own) => own.key === key));
  Object.assign(element, change, { constraint: [...inherited, ...constraint] });
}
