/** Tests that do not run and do not say so, found in the syntax tree of a test file. */
import ts from 'typescript';

const TEST = new Set(['it', 'test', 'describe']);
const ALIASES = new Set(['fit', 'fdescribe', 'xit', 'xtest', 'xdescribe']);
/** Leave out other tests, or are no test yet. */
const NEVER = new Set(['only', 'todo', 'failing']);

/** `file:line: what; remedy`. A skip is allowed where its reason has been printed before: `... skipped: no Docker`. */
export function silentTests(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  let told = false;
  const complain = (node: ts.Node, what: string, remedy: string): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push(`${file}:${String(line)}: ${what}; ${remedy}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      told ||= node.arguments.some((argument) => isText(argument) && /\bskipped\b/i.test(argument.getText()));
      if (ts.isIdentifier(node.expression) && ALIASES.has(node.expression.text))
        complain(node, node.expression.text, 'run it, or skip it and say why');
    }
    if (ts.isPropertyAccessExpression(node) && TEST.has(rootOf(node))) {
      const { text: word } = node.name;
      if (NEVER.has(word)) complain(node, `${rootOf(node)}.${word}`, 'write it, or let the others run too');
      if (word === 'skip' && !told)
        complain(node, `${rootOf(node)}.skip in silence`, 'print `skipped: REASON` before it');
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

/** `it` of `it.each.skip`. */
function rootOf(node: ts.PropertyAccessExpression): string {
  const { expression } = node;
  if (ts.isIdentifier(expression)) return expression.text;
  return ts.isPropertyAccessExpression(expression) ? rootOf(expression) : '';
}
