// A rule is switched off only with the reason beside it. What may import what stands in .dependency-cruiser.mjs.
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const LONGEST_FUNCTION = 60;

/** max-lines-per-function for tests: the callback of a `describe` is a chapter, not a function. */
const testFunctionLength = {
  meta: { type: 'suggestion', schema: [], messages: { long: '{{lines}} lines; at most {{most}}' } },
  create(context) {
    const check = (node) => {
      const { type, callee } = node.parent;
      if (type === 'CallExpression' && /^describe/.test(context.sourceCode.getText(callee))) return;
      const lines = node.loc.end.line - node.loc.start.line + 1;
      const data = { lines: String(lines), most: String(LONGEST_FUNCTION) };
      if (lines > LONGEST_FUNCTION) context.report({ node, messageId: 'long', data });
    };
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
};

/** Patterns of users run on re2js, which cannot hang; RegExp is for patterns that stand in the code. */
const NO_USER_PATTERNS = ['NewExpression', 'CallExpression'].map((type) => ({
  selector: `${type}[callee.name="RegExp"]:not([arguments.0.type="Literal"])`,
  message:
    'A pattern that is not a literal may be a user’s, and RegExp can hang on it: use re2js, or say here why not.',
}));

/** What a fault run must be able to replay, and a test to turn: only the clock of the runtime reads the real one. */
const TIME_AND_CHANCE = [
  {
    selector: 'MemberExpression[object.name="Date"][property.name="now"]',
    message: 'Time is an argument: now, or Clock.',
  },
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'Time is an argument: now, or Clock.',
  },
  { selector: 'CallExpression[callee.name="Date"]', message: 'Time is an argument: now, or Clock.' },
  {
    selector: 'MemberExpression[object.name="Math"][property.name="random"]',
    message: 'Chance is an argument: Random.',
  },
];

/** Of what decides: a decision can then be tabled, replayed and explained. */
const PURE = {
  'no-restricted-globals': [
    'error',
    ...[
      'process',
      'performance',
      'crypto',
      'fetch',
      'console',
      'globalThis',
      'setTimeout',
      'setInterval',
      'setImmediate',
      'queueMicrotask',
    ].map((name) => ({ name, message: 'decide and admit are pure: let gather bring it in.' })),
  ],
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        { group: ['node:*'], message: 'decide and admit are pure: let gather bring it in.' },
        {
          group: ['**/runtime/clock.ts'],
          importNames: ['systemClock', 'systemRandom', 'sleep'],
          message: 'Time and chance are arguments.',
        },
      ],
    },
  ],
  'no-restricted-syntax': [
    'error',
    ...NO_USER_PATTERNS,
    ...TIME_AND_CHANCE,
    { selector: 'ImportExpression', message: 'What decides is there from the start.' },
    { selector: ':function[async=true]', message: 'decide and admit wait for nothing.' },
  ],
};

export default defineConfig(
  { ignores: ['**/*.gen.ts', '**/node_modules/', 'dist/', 'build/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // An import of types alone leaves nothing behind: what decides may then import them from anywhere.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      // An argument that an interface prescribes, or a field that is taken out of the rest, is named and not used.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  { rules: { 'max-lines': ['error', 400] } },
  {
    files: ['src/**', 'scripts/**', 'bin/**'],
    rules: {
      'max-lines-per-function': ['error', LONGEST_FUNCTION],
      'no-restricted-syntax': ['error', ...NO_USER_PATTERNS],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/runtime/clock.ts'],
    rules: { 'no-restricted-syntax': ['error', ...NO_USER_PATTERNS, ...TIME_AND_CHANCE] },
  },
  {
    // Composition is one list from top to bottom: in pieces it would only be handed about. The file is capped instead.
    files: ['src/main.ts'],
    rules: { 'max-lines-per-function': 'off', 'max-lines': ['error', 120] },
  },
  { files: ['src/**/{decide,admit}.ts', 'src/contracts/**'], rules: PURE },
  {
    files: ['test/**'],
    plugins: { house: { rules: { 'function-length': testFunctionLength } } },
    rules: { 'house/function-length': 'error' },
  },
  {
    files: ['**/*.d.ts'],
    // A declaration describes somebody else's classes as they are.
    rules: { '@typescript-eslint/no-extraneous-class': 'off' },
  },
);
