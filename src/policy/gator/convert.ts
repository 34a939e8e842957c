/** From ConstraintTemplates and Constraints to PolicyRules that judge as they did. */
import { validate } from '../../runtime/validation/validate.ts';
import { describeProblem as describeField } from '../../runtime/validation/problem.ts';
import { messageOf } from '../../runtime/errors.ts';
import { crd } from '../policyrule/crd.gen.ts';
import type { PolicyRule } from '../policyrule/types.gen.ts';
import { cut } from '../verdict.ts';
import { readConstraint } from './constraint.ts';
import { labelOf, refuse, textOf, within, type Loose } from './objects.ts';
import { isConstraint, isTemplate, readTemplate, type Template } from './template.ts';

export interface Imported {
  rules: Loose[];
  /** what was left out or means less than before: where, and what to do */
  warnings: string[];
  /** what became no rule, and why */
  refusals: string[];
}

type Mode = PolicyRule['spec']['enforcementMode'];

const MODES: Readonly<Record<string, Mode>> = {
  deny: 'Enforce',
  warn: 'Warn',
  dryrun: 'Audit',
};

const MAX_DESCRIPTION = 1_024;

export function importRules(objects: readonly Loose[]): Imported {
  const imported: Imported = { rules: [], warnings: [], refusals: [] };
  const templates = templatesOf(objects, imported);
  const constraints = onceEach(objects.filter(isConstraint), imported);
  const names = constraints.map((object) => textOf(within(object, 'metadata')['name']));
  for (const object of constraints) {
    const template = templates.get(String(object['kind']));
    if (template === undefined) {
      const kind = String(object['kind']);
      if (!templates.has(kind))
        imported.refusals.push(`${labelOf(object)}: kind: there is no template of it (add its file)`);
      continue;
    }
    const name = textOf(within(object, 'metadata')['name']);
    const shared = names.filter((other) => other === name).length > 1;
    try {
      importOne(object, template, shared, imported);
    } catch (error) {
      imported.refusals.push(messageOf(error));
    }
  }
  for (const [kind, template] of templates) {
    if (template !== undefined && !constraints.some((object) => object['kind'] === kind))
      imported.warnings.push(
        `ConstraintTemplate ${template.name}: no constraint of it, so no rule (add one)`,
      );
  }
  for (const object of objects) {
    if (!isTemplate(object) && !isConstraint(object))
      imported.warnings.push(`${labelOf(object)}: is neither template nor constraint; left out`);
  }
  return imported;
}

/** Two of a kind and a name are one object to the API server: which of them is meant, only the user knows. */
function onceEach(constraints: readonly Loose[], imported: Imported): Loose[] {
  const labels = constraints.map(labelOf);
  const twice = [...new Set(labels.filter((label, at) => labels.indexOf(label) !== at))];
  imported.refusals.push(
    ...twice.map((label) => `${label}: metadata.name: there are several of it (import one, or rename them)`),
  );
  return constraints.filter((_object, at) => !twice.includes(labels[at] ?? ''));
}

/** By the kind of their constraints; undefined for one that was refused, which is told once. */
function templatesOf(objects: readonly Loose[], imported: Imported): Map<string, Template | undefined> {
  const templates = new Map<string, Template | undefined>();
  for (const object of objects.filter(isTemplate)) {
    try {
      const template = readTemplate(object);
      if (templates.get(template.kind) !== undefined)
        imported.warnings.push(
          `${labelOf(object)}: there are two templates of ${template.kind}; the last one counts`,
        );
      templates.set(template.kind, template);
    } catch (error) {
      imported.refusals.push(messageOf(error));
      templates.set(String(within(object, 'spec', 'crd', 'spec', 'names')['kind']), undefined);
    }
  }
  return templates;
}

function importOne(object: Loose, template: Template, shared: boolean, imported: Imported): void {
  const constraint = readConstraint(object, template);
  const { source } = template;
  const { scope, operations, ...match } = constraint.match;
  const labels = within(object, 'metadata', 'labels');
  const rule = {
    apiVersion: 'cogniforge.dev/v1alpha1',
    kind: 'PolicyRule',
    metadata: {
      name: shared ? `${template.name}-${constraint.name}` : constraint.name,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
    },
    spec: {
      ...(template.description === undefined
        ? {}
        : { description: cut(template.description.trim(), MAX_DESCRIPTION) }),
      match: {
        ...match,
        ...(scope === '*' ? {} : { scope }),
        ...(template.operations === undefined ? {} : { operations }),
      },
      enforcementMode: modeOf(within(object, 'spec')['enforcementAction'], labelOf(object)),
      ...(Object.keys(constraint.parameters).length === 0 ? {} : { parameters: constraint.parameters }),
      ...(constraint.schema === undefined ? {} : { parametersSchema: constraint.schema }),
      regoVersion: source.regoVersion,
      rego: source.rego,
      ...(source.libs.length === 0 ? {} : { libs: source.libs }),
    },
  };
  const label = labelOf(object);
  const { problems } = validate(crd, rule);
  if (problems.length > 0) {
    imported.refusals.push(
      ...problems.map((problem) => `${label}: as a PolicyRule: ${describeField(problem)}`),
    );
    return;
  }
  const texts = [source.rego, ...source.libs];
  if (texts.some((text) => /\bdata\s*(\.\s*inventory\b|\[\s*"inventory")/.test(text)))
    imported.warnings.push(
      `${label}: reads data.inventory, which is empty at admission; what depends on other objects is not judged (rewrite it to read input alone)`,
    );
  imported.warnings.push(...template.warnings, ...constraint.warnings);
  imported.rules.push(rule);
}

function modeOf(action: unknown, label: string): Mode {
  const word = textOf(action) ?? 'deny';
  const path = `${label}: spec.enforcementAction`;
  const mode = Object.hasOwn(MODES, word) ? MODES[word] : undefined;
  return mode ?? refuse(path, `${JSON.stringify(word)} has no counterpart`, 'accepted: deny, warn, dryrun');
}
