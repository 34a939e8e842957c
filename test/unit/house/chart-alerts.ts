/** The alerts of the chart, out of its template without Helm, and what their expressions ask for. */
import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { parseYamlDocument } from '../../../src/runtime/yaml.ts';

const TEMPLATE = 'charts/cogniforge/templates/monitoring.yaml';

export interface Alert {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string };
}

/** The part from `groups:` on has two sorts of template: our own labels, and Prometheus' templates as literals. */
export function chartAlerts(): Alert[] {
  const template = readFileSync(TEMPLATE, 'utf8');
  const text = template
    .slice(template.indexOf('  groups:'), template.lastIndexOf('{{- end }}'))
    .replace(/\{ \{\{- \$ours -\}\}\s*\}/g, '{job="j",namespace="n"}')
    .replace(/\{ \{\{- \$ours \}\}/g, '{job="j",namespace="n"')
    .replace(/\{\{`(.*?)`\}\}/g, (_whole, literal: string) => literal.replace(/[{}]+ ?/g, ''));
  const { groups } = parseYamlDocument(Buffer.from(text)) as { groups: { rules: Alert[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** One `metric{label=~"value"}` of an expression. */
export interface Selector {
  metric: string;
  matchers: { label: string; operator: string; value: string }[];
}

export interface Asked {
  selectors: Selector[];
  /** of `by (...)` */
  grouping: string[];
  /** offsets at which it is no PromQL */
  errors: number[];
}

export function asked(expr: string): Asked {
  const found: Asked = { selectors: [], grouping: [], errors: [] };
  parser.parse(expr).iterate({
    enter: ({ type, from, to, node }) => {
      if (type.isError) found.errors.push(from);
      const text = expr.slice(from, to);
      if (type.name === 'VectorSelector') found.selectors.push({ metric: '', matchers: [] });
      const last = found.selectors.at(-1);
      if (type.name === 'Identifier' && node.parent?.type.name === 'VectorSelector' && last !== undefined)
        last.metric = text;
      const [, label, operator, value] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(text) ?? [];
      if (type.name.endsWith('LabelMatcher'))
        last?.matchers.push({ label: label ?? '', operator: operator ?? '', value: value ?? '' });
      if (type.name === 'LabelName' && node.parent?.type.name === 'GroupingLabels') found.grouping.push(text);
    },
  });
  return found;
}
