import { dirname, posix, relative } from 'node:path';
import { whyForbidden, whyIpcMainForbidden } from './import-rules.mjs';

/**
 * @typedef {{ type: string, value?: unknown }} Source
 * @typedef {{ source?: Source | null, specifiers?: { type: string, imported?: { name?: string } }[] }} ImportNode
 * @typedef {{ object: { name?: string, property?: { name?: string } } }} Member
 * @typedef {{ cwd: string, filename: string, report: (problem: { node: unknown, message: string }) => void }} RuleContext
 */

/** Reports every import that the table of imports forbids, static, dynamic or passed on, and says why. */
const rule = {
  meta: { type: 'problem', docs: { description: 'hold the table of imports in docs/ARCHITECTURE.md' } },
  /** @param {RuleContext} context */
  create(context) {
    const from = relative(context.cwd, context.filename).replaceAll('\\', '/');
    /** @param {ImportNode} node */
    const check = (node) => {
      const specifier = node.source?.value;
      if (typeof specifier !== 'string') return;
      const isPackage = !specifier.startsWith('.');
      const target = isPackage ? specifier : posix.normalize(posix.join(dirname(from), specifier.replace(/\?.*$/, '')));
      const message = whyForbidden(from, target, { isPackage, names: namesOf(node) });
      if (message) context.report({ node: node.source, message });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      /** @param {Member} node */
      MemberExpression(node) {
        // `electron.ipcMain` alone hands it to the router; `ipcMain.handle` and `electron.ipcMain.handle` use it.
        if ((node.object.name ?? node.object.property?.name) !== 'ipcMain') return;
        const message = whyIpcMainForbidden(from);
        if (message) context.report({ node, message });
      },
    };
  },
};

/** @param {ImportNode} node */
function namesOf(node) {
  return (node.specifiers ?? []).map(({ imported }) => imported?.name ?? '');
}

const plugin = { meta: { name: 'teahouse' }, rules: { 'import-table': rule } };

export default plugin;
