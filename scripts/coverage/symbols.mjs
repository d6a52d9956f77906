// Looks up what the built package exports, and who calls it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../steps.mjs';

/** @typedef {Readonly<Record<string, any>>} Exports */

/** @returns {Promise<Exports>} */
export function builtPackage() {
  return import(pathToFileURL(join(root, 'packages/onecopy/dist/index.js')).href);
}

/**
 * An object of each class whose members are no methods: fields exist in objects alone.
 *
 * @param {Exports} exports
 * @returns {Exports} by name of the class
 */
export function specimens(exports) {
  const { self, MpiError, SUM, BYTE } = exports;
  const receiving = self.irecv(new Uint8Array(1), 0, 0);
  const sending = self.isend(new Uint8Array(1), 0, 0);
  sending.wait();
  return {
    Communicator: self,
    Request: receiving,
    Status: receiving.wait(),
    MpiError: new MpiError('ERR_ARG', ''),
    Op: SUM,
    Datatype: BYTE,
    Group: self.group,
  };
}

/** What every class has, as a function. */
const OF_ANY_CLASS = ['length', 'name', 'prototype'];

/**
 * What a symbol is in the package; undefined: it is not there.
 *
 * @param {string} symbol 'waitAll', 'Communicator.send', 'Datatype.vector'
 * @param {Exports} exports
 * @param {Exports} objects see `specimens`
 * @returns {'function' | 'static' | 'method' | 'property' | 'value' | undefined}
 */
export function kindOf(symbol, exports, objects) {
  const [name = '', member] = symbol.split('.');
  const exported = Object.hasOwn(exports, name) ? exports[name] : undefined;
  if (exported === undefined) return undefined;
  const isClass = typeof exported === 'function' && /^class\b/.test(exported.toString());
  if (member === undefined)
    return typeof exported === 'function' && !isClass ? 'function' : 'value';
  if (!isClass) return undefined;
  if (Object.hasOwn(exported, member) && !OF_ANY_CLASS.includes(member)) return 'static';
  for (let from = exported.prototype; from !== null; from = Object.getPrototypeOf(from)) {
    const found = Object.getOwnPropertyDescriptor(from, member);
    if (found !== undefined && from !== Object.prototype) {
      return typeof found.value === 'function' ? 'method' : 'property';
    }
  }
  return Object.hasOwn(objects[name] ?? {}, member) ? 'property' : undefined;
}

/**
 * Whether a program uses a symbol: calls it, if it is a function.
 *
 * @param {string} file relative to the root
 * @param {string} symbol
 * @param {NonNullable<ReturnType<typeof kindOf>>} kind
 */
export function uses(file, symbol, kind) {
  const [name = '', member = ''] = symbol.split('.');
  const call = '\\s*(<[^()]*>)?\\(';
  const patterns = {
    function: `(?<![.\\w])${name}${call}`,
    static: `(?<![.\\w])${name}\\.${member}\\b`,
    method: `\\.${member}${call}`,
    property: `\\.${member}\\b(?!\\s*\\()|[{,]\\s*${member}\\b[^{}]*\\}\\s*=[^=]`,
    // Twice: it has to be imported before it is used.
    value: `(?<![.\\w])${name}\\b[\\s\\S]*(?<![.\\w])${name}\\b`,
  };
  const text = withoutComments(file);
  return (
    /\b(from |import\(|require\()'onecopy'/.test(text) && new RegExp(patterns[kind]).test(text)
  );
}

/** @type {Map<string, string>} */
const texts = new Map();

/** @param {string} file */
function withoutComments(file) {
  let text = texts.get(file);
  if (text === undefined) {
    text = readFileSync(join(root, file), 'utf8').replaceAll(
      /\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm,
      '',
    );
    texts.set(file, text);
  }
  return text;
}
