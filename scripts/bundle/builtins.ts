import { builtinModules } from 'node:module';
import type { ImportKind, Plugin } from 'esbuild';

/**
 * Replaces modules of Node.js by calls of `process.getBuiltinModule`: in an ES module `require` is missing, and an import
 * statement that an old version cannot serve would fail before our own message. Without `kinds`, all imports of them.
 */
export function builtins(kinds?: readonly ImportKind[]): Plugin {
  const filter = new RegExp(
    `^(?:node:)?(?:${builtinModules.filter(name => !name.startsWith('node:')).join('|')})$|^node:`,
  );
  return {
    name: 'builtins',
    setup({ onResolve, onLoad }) {
      onResolve({ filter }, ({ path: name, kind }) => {
        if (kinds !== undefined && !kinds.includes(kind)) return undefined;
        return { path: name.startsWith('node:') ? name : `node:${name}`, namespace: 'builtin' };
      });
      onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path: name }) => ({
        contents: `module.exports = process.getBuiltinModule(${JSON.stringify(name)});`,
        loader: 'js',
      }));
    },
  };
}
