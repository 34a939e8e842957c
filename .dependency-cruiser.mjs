// Who may import whom (README.md, "The house"): main -> kinds -> services -> runtime, and what decides is pure.
// Each rule is proved by a tree that breaks it: test/unit/house/imports.test.ts.

/** Of the runtime: what computes and does nothing else. clock.ts is here for its types and `timestamp`; eslint bars the rest. */
const PURE_RUNTIME =
  '^src/runtime/(backoff|clock|conditions|errors|json|kind|resource|schema|validation/.*|webhook/(gate|review))\\.ts$';

/** npm packages that compute, and read neither the clock nor anything outside. */
const PURE_PACKAGES =
  '^node_modules/(ajv|ajv-formats|fast-json-patch|js-yaml|re2js|refa|semver|@bufbuild/(cel|cel-spec|protobuf)|@marcbachmann/cel-js|@prometheus-io/lezer-promql)/';

/** Of the services: what does input and output. Every other file of a service must be pure. */
const SHELL = [
  '^src/[^/]+/service\\.ts$',
  '^src/[^/]+/commands\\.ts$',
  '^src/[^/]+/[^/]+/(kind|gather|act)\\.ts$',
  // The compiler runs opa as a process and unpacks what it built; the engine runs worker threads.
  '^src/policy/(bundle|compiler|opa)\\.ts$',
  // Commands: what reads files, or goes to a cluster.
  '^src/policy/(cluster-commands|documents|eval-stream|pack|selftest)\\.ts$',
  '^src/policy/(gator|testing)/command\\.ts$',
  '^src/policy/engine/(crypto|engine|host|instance|thread|worker)\\.ts$',
];

const SERVICE = '^src/(?!runtime/|contracts/)([^/]+)/';
const RUNTIME_IMPORT = { dependencyTypesNot: ['type-only'] };

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Files that import each other are one file: merge them, or move what both need to a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'Nobody imports it and it imports nobody: delete it.',
      severity: 'error',
      from: { orphan: true, pathNot: ['\\.d\\.ts$', '^test/strip-types\\.mjs$'] },
      to: {},
    },
    {
      name: 'resolvable',
      comment: 'What is imported must be there, and be named in package.json.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['unknown', 'undetermined', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'src-stands-alone',
      comment: 'The image holds src and no test, script or bench.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|bin)/' },
    },
    {
      name: 'src-without-dev-dependencies',
      comment: 'The image is installed without devDependencies: make it a dependency.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-optional', 'npm-peer'] },
    },
    {
      name: 'runtime-knows-no-kind',
      comment: 'The runtime knows Kubernetes and nothing of ours: let main hand it in.',
      severity: 'error',
      from: { path: '^src/runtime/' },
      to: { path: '^src/', pathNot: '^src/runtime/' },
    },
    {
      name: 'contracts-know-no-service',
      comment: 'A contract is what every service may see: it may see none of them.',
      severity: 'error',
      from: { path: '^src/contracts/' },
      to: { path: '^src/', pathNot: '^src/(contracts|runtime)/' },
    },
    {
      name: 'services-apart',
      comment: 'One service never imports another: say it in src/contracts, or through the API server.',
      severity: 'error',
      from: { path: SERVICE },
      to: { path: SERVICE, pathNot: '^src/$1/' },
    },
    {
      name: 'downwards',
      comment: 'main -> kinds -> services -> runtime: what is composed does not know who composes it.',
      severity: 'error',
      from: { path: '^src/[^/]+/' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    {
      name: 'main-by-kinds',
      comment: 'main -> kinds -> services: main names no service, or adding one would be two lines.',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: SERVICE },
    },
    {
      name: 'kinds-below-main',
      comment: 'main -> kinds -> services: the list of kinds does not know who runs it.',
      severity: 'error',
      from: { path: '^src/kinds\\.ts$' },
      to: { path: '^src/(main|cli)\\.ts$' },
    },
    {
      name: 'pure-without-io',
      comment:
        'decide, admit, contracts and algorithms import no node:*, and only packages that compute. Let gather bring it in; what is no algorithm is named in SHELL.',
      severity: 'error',
      from: { path: '^src/(?!runtime/)[^/]+/', pathNot: SHELL },
      to: { ...RUNTIME_IMPORT, pathNot: ['^src/', PURE_PACKAGES] },
    },
    {
      name: 'pure-on-pure-runtime',
      comment:
        'decide, admit, contracts and algorithms use of the runtime only what computes (types are free).',
      severity: 'error',
      from: { path: '^src/(?!runtime/)[^/]+/', pathNot: SHELL },
      to: { ...RUNTIME_IMPORT, path: '^src/runtime/', pathNot: PURE_RUNTIME },
    },
    {
      name: 'pure-on-pure-siblings',
      comment: 'decide, admit, contracts and algorithms import no file of the shell (types are free).',
      severity: 'error',
      from: { path: '^src/(?!runtime/)[^/]+/', pathNot: SHELL },
      to: { ...RUNTIME_IMPORT, path: SHELL },
    },
    {
      name: 'pure-runtime-on-pure-runtime',
      comment: 'What pure files use of the runtime must be pure itself.',
      severity: 'error',
      from: { path: PURE_RUNTIME },
      to: { ...RUNTIME_IMPORT, pathNot: [PURE_RUNTIME, PURE_PACKAGES] },
    },
  ],
  options: {
    // Type imports count: a service that needs another's types needs a contract.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
