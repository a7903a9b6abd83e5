// Runs axe-core, which the page has been given, over the page as it stands: WCAG 2.2 A and AA, and what its makers
// recommend beyond. Answers a line for each place that breaks a rule.
const done = arguments[arguments.length - 1];
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
axe.run({ runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] }).then(
  ({ violations }) => done(violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.target.join(" ")}`))),
  error => done([`axe-core failed: ${error}`]),
);
