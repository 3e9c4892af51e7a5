// Do the dashboards fit the types that Grafana publishes of them?
//
// Each file becomes a constant of the type Dashboard, and what the schema leaves open in
// a panel (its options, its custom fields) a constant of that panel's own types.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, '../../envoy-configs/grafana/dashboards');
const panels = {
  'stat': 'stat', 'state-timeline': 'statetimeline', 'timeseries': 'timeseries',
};
// Enumerations stand in JSON as their texts.
const head = `import type { Dashboard } from '@grafana/schema';
type Plain<T> = T extends string ? \`\${T}\` : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
`;

function program(text) {
  const name = join(here, 'dashboards.ts');
  const options = {
    noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler, target: ts.ScriptTarget.ES2022,
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (file, ...rest) =>
    file === name ? ts.createSourceFile(file, text, options.target, true) : read(file, ...rest);
  host.fileExists = (file) => file === name || ts.sys.fileExists(file);
  return ts.createProgram([name], options, host);
}

function source(boards) {
  const kinds = Object.values(panels).map((kind) =>
    `import type * as ${kind} from './node_modules/@grafana/schema/dist/types/raw/composable/${kind}/panelcfg/x/types.gen';\n`);
  let text = kinds.join('') + head;
  let number = 0;
  for (const [file, board] of Object.entries(boards)) {
    const constant = (what, type, value) =>
      `// ${file}: ${what}\nexport const c${number++}: Plain<${type}> = ${JSON.stringify(value, null, 1)};\n`;
    text += constant('the dashboard', 'Dashboard', board);
    for (const panel of board.panels.filter((panel) => panel.type !== 'row')) {
      const kind = panels[panel.type] ?? fail(`${file}: panels of type ${panel.type} are not checked; add them here`);
      text += constant(panel.title, `Partial<${kind}.Options>`, panel.options);
      const custom = panel.fieldConfig.defaults.custom;
      if (custom) {
        const fields = kind === 'stat' ? 'Record<string, never>' : `Partial<${kind}.FieldConfig>`;
        text += constant(`${panel.title}, its fields`, fields, custom);
      }
    }
  }
  return text;
}

function faults(boards) {
  const checked = program(source(boards));
  return ts.getPreEmitDiagnostics(checked).map((fault) => {
    const what = ts.flattenDiagnosticMessageText(fault.messageText, '\n  ');
    if (!fault.file) return what;
    const before = fault.file.text.slice(0, fault.start);
    const place = before.slice(before.lastIndexOf('\n// ') + 4).split('\n', 1)[0];
    return `${place}: ${before.slice(before.lastIndexOf('\n') + 1).trim()} ${what}`;
  });
}

function fail(...lines) {
  console.error(lines.join('\n'));
  process.exit(1);
}

const files = readdirSync(folder).filter((name) => name.endsWith('.json')).sort();
const boards = Object.fromEntries(files.map((name) => [name, JSON.parse(readFileSync(join(folder, name)))]));
if (files.length === 0) fail(`no dashboards in ${folder}`);
const found = faults(boards);
if (found.length > 0) fail(...found);
// A check that takes anything is none.
const [name, board] = Object.entries(boards)[0];
if (faults({ [name]: { ...board, panels: [{ ...board.panels[1], gridPos: 'left' }] } }).length === 0) {
  fail('a broken panel was taken: the schema checks nothing');
}
console.log(`${files.length} dashboards fit Grafana's schema`);
