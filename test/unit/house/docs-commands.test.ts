/**
 * What the documents tell to type is true as far as it can be told without a cluster: programs know the flags, the chart
 * its values, kubectl the kinds, npm the scripts, and the checkout the paths; links lead to files.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCrds } from '../../../scripts/generate/crds.ts';
import { storedVersion } from '../../../src/runtime/schema.ts';
import { toolPath } from '../../cluster/tools.ts';
import { problemsOf, type Facts } from './command-checks.ts';
import { fences, links, spans } from './markdown.ts';
import { commandsOf, type Command } from './shell.ts';

const ROOT = join(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const pages = globSync(['README.md', 'CONTRIBUTING.md', '{docs,deploy,charts}/**/*.md'], {
  cwd: ROOT,
}).sort();
const SHELLS = ['sh', 'bash', 'shell', 'console'];
/** Spans of prose that are whole commands. */
const COMMAND = /^(?:npm (?:run|test|start)|helm|kubectl|cogniforge) ./;

/** Those of fenced blocks (in a `console` the lines after a $), and of the spans of code in the prose. */
function commandsIn(page: string): Command[] {
  const blocks = fences(page)
    .filter(({ language }) => SHELLS.includes(language))
    .flatMap(({ language, text, line }) => commandsOf(language === 'console' ? typed(text) : text, line));
  const prose = spans(page)
    .filter(({ text }) => COMMAND.test(text))
    .flatMap(({ text, line }) => commandsOf(text, line));
  return [...blocks, ...prose];
}

function typed(text: string): string {
  const lines = text.split('\n').map((line) => (line.startsWith('$ ') ? line.slice(2) : ''));
  return lines.join('\n');
}

let facts: Facts;

beforeAll(async () => {
  const programs = { helm: await toolPath('helm'), kubectl: await toolPath('kubectl') };
  const answers = new Map<string, string | undefined>();
  const ask = (program: 'helm' | 'kubectl', words: readonly string[]): string | undefined => {
    const run = (args: readonly string[]): string => {
      const { stdout, status } = spawnSync(programs[program], args, { encoding: 'utf8' });
      return status === 0 ? stdout : '';
    };
    if (words.length === 0) return program === 'kubectl' ? run(['options']) : run(['--help']);
    const parent = words.length === 1 ? run(['--help']) : run([...words.slice(0, -1), '--help']);
    const listed = new RegExp(String.raw`^  ${words.at(-1) ?? ''}\s`, 'm').test(parent);
    return listed ? run([...words, '--help']) : undefined;
  };
  const crds = readCrds(join(ROOT, 'crds')).map(({ crd }) => crd);
  facts = {
    exists: (path) => existsSync(join(ROOT, path)) || globSync(path, { cwd: ROOT }).length > 0,
    folders: [
      ...globSync('*/', { cwd: ROOT, exclude: ['node_modules'] }).map((name) => name.replace(/\/$/, '')),
      'build',
    ],
    outputs: ['build/cogniforge-image.tar', 'build/cogniforge-image.sbom.json'],
    scripts: Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts),
    values: JSON.parse(read('charts/cogniforge/values.schema.json')) as object,
    kinds: new Map(
      crds.flatMap((crd) => {
        const { plural, singular, shortNames = [], categories = [] } = crd.spec.names;
        const schema = storedVersion(crd).schema.openAPIV3Schema;
        return [plural, singular, ...shortNames, ...categories].map((name) => [name, schema] as const);
      }),
    ),
    help: (program, words) => {
      const key = [program, ...words].join(' ');
      if (!answers.has(key))
        answers.set(
          key,
          /^[a-z-]+$/.test(words.join('')) || words.length === 0 ? ask(program, words) : undefined,
        );
      return answers.get(key);
    },
    usage: spawnSync(process.execPath, ['bin/cogniforge.js'], { cwd: ROOT, encoding: 'utf8' }).stderr,
  };
});

it('the documents are found, and commands in them', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/install.md', 'deploy/kind/README.md']));
  const programs = commandsIn(read('docs/install.md')).map(({ words: [program] }) => program);
  expect(programs).toEqual(expect.arrayContaining(['npm', 'helm', 'kubectl', 'ctr']));
});

describe.each(pages)('%s', (page) => {
  const text = read(page);

  it('tells no command that cannot be', () => {
    const wrong = commandsIn(text).flatMap(({ words, line }) =>
      problemsOf(words, facts).map((problem) => `${page}:${String(line)}: ${problem}`),
    );
    expect(wrong).toEqual([]);
  });

  it('links to files that are there', () => {
    const dead = links(text).filter(({ target }) => !existsSync(join(ROOT, dirname(page), target)));
    expect(dead).toEqual([]);
  });
});

describe('a mistake is found', () => {
  it.each([
    ['npm run imagine', 'package.json has no script imagine'],
    ['npm run --silent imagine -- x', 'package.json has no script imagine'],
    ['helm instal cogniforge charts/cogniforge', 'helm has no command instal'],
    ['helm install cogniforge charts/cogniforg', 'the checkout holds no charts/cogniforg'],
    [
      'helm install c charts/cogniforge --set image.pullpolicy=Never',
      'the chart has no value image.pullpolicy',
    ],
    ['helm install c charts/cogniforge --set=a.b=1', 'the chart has no value a.b'],
    [
      'helm upgrade c charts/cogniforge --set image.tag=x,image.pullPolicy=Nevver',
      'image.pullPolicy of the chart cannot be Nevver',
    ],
    ['helm upgrade c charts/cogniforge --set replicaCount=two', 'replicaCount of the chart cannot be two'],
    ['helm upgrade ... --set webhook.failMode=Ignored', 'webhook.failMode of the chart cannot be Ignored'],
    [
      'helm upgrade c charts/cogniforge --set webhook.certManager.issuerRef.nam=x',
      'the chart has no value webhook.certManager.issuerRef.nam',
    ],
    ['helm upgrade c charts/cogniforge --namespac x', 'helm upgrade has no flag --namespac'],
    ['helm test cogniforge --set a=b', 'helm test has no flag --set'],
    ['kubectl get prul', 'kubectl knows no kind prul'],
    ['kubectl get -n x --watch prules,prul', 'kubectl knows no kind prules'],
    ['kubectl -n x describe policyrul/name', 'kubectl knows no kind policyrul'],
    ['kubectl explain policyrule.spec.matches', 'policyrule.spec has no field matches'],
    [
      'kubectl explain policyrule.spec.match.kinds.apigroups',
      'policyrule.spec.match.kinds has no field apigroups',
    ],
    ['kubectl get policyrule --all-namespace', 'kubectl get has no flag --all-namespace'],
    ['kubectl aply -f crds', 'kubectl has no command aply'],
    ['kubectl apply -f deploy/example/rule.yaml', 'the checkout holds no deploy/example/rule.yaml'],
    ['kubectl apply --filename=deply/rule.yaml', 'the checkout holds no deply/rule.yaml'],
    ['docker load -i build/image.tar', 'the checkout holds no build/image.tar'],
    ['node scripts/nothing.ts', 'the checkout holds no scripts/nothing.ts'],
    ['cogniforge polciy eval', 'cogniforge has no command polciy'],
    ['node bin/cogniforge.js policy evaluate', 'cogniforge has no command policy evaluate'],
    ['true && kubectl rollout stat deployment/x; npm run imagine', 'package.json has no script imagine'],
  ])('in %s', (text, problem) => {
    const problems = commandsOf(text).flatMap(({ words }) => problemsOf(words, facts));
    expect(problems).toContain(problem);
  });

  it.each([
    'npm run bench -- NAME',
    'npm run --silent image -- --output build/cogniforge-image.tar',
    'helm upgrade c charts/cogniforge -n x -f values.yaml --set replicaCount=3 --set-string image.tag=1 --wait --timeout 5m',
    "helm upgrade c charts/cogniforge --set 'imagePullSecrets[0].name=registry' --set podLabels.a=b,image.digest=<digest>",
    'helm install c charts/cogniforge --set policies.podSecurity.excludedNamespaces={kube-*,infra}',
    'helm install cert-manager oci://quay.io/jetstack/charts/cert-manager --set crds.enabled=true',
    'kubectl -n cogniforge-system rollout status deployment/cogniforge --timeout=5m',
    "kubectl get prule -o jsonpath='{.items[*].status}' -w",
    'kubectl get cogniforge -A',
    'kubectl explain policyrule.spec.match.kinds.apiGroups',
    'kubectl wait --for=condition=Ready policyrules --all',
    'kubectl delete -k deploy/kustomize/operator',
    'kubectl apply --server-side -f my-rules.yaml',
    'kubectl logs -f -n x deployment/cogniforge',
    'cogniforge policy eval --rule FILE --input FILE',
    'curl -k https://x/deploy/nothing',
  ])('and none in %s', (text) => {
    expect(commandsOf(text).flatMap(({ words }) => problemsOf(words, facts))).toEqual([]);
  });
});
