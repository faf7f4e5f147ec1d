// Reads the house's sources as text: what each file imports and exports.
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Source {
  /** From the repository's root, with slashes. */
  readonly path: string
  readonly text: string
}

export interface Import {
  readonly line: number
  /** A path from the repository's root for files of ours, else the package's name (`@scope/name`) or `node:…`. */
  readonly target: string
  readonly isOurs: boolean
  readonly isTypeOnly: boolean
}

export interface Named {
  readonly line: number
  readonly name: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const folders = ['gateway', 'services', 'legacy-mock', 'load-tests', 'scripts', 'test']

export function readSources(): readonly Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => ({ path: posixPath(file.slice(root.length)), text: readFileSync(file, 'utf8') })),
  )
}

const posixPath = (path: string) => path.replaceAll('\\', '/')

// `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`; of statements only those at the start of a line.
const statement =
  /^(?:import|export)(\s+type)?\s+[\w\s{},*$]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm

export function importsOf({ path, text }: Source): readonly Import[] {
  return [...text.matchAll(statement)].map((match) => {
    const written = match[2] ?? match[3] ?? match[4] ?? ''
    const isOurs = written.startsWith('.')
    return {
      line: lineAt(text, match.index),
      target: isOurs ? posix.join(posix.dirname(path), written) : packageOf(written),
      isOurs,
      isTypeOnly: match[1] !== undefined,
    }
  })
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

const declared =
  /^export\s+(?:default\s+)?(?:declare\s+)?(?:async\s+)?(?:abstract\s+)?(?:function\*?|const|let|class|interface|type)\s+(\w+)/gm
const listed = /^export\s+(?:type\s+)?\{([^}]*)\}/gm

export function exportsOf({ text }: Source): readonly Named[] {
  const declarations = [...text.matchAll(declared)].map((match) => ({
    line: lineAt(text, match.index),
    name: match[1] ?? '',
  }))
  const lists = [...text.matchAll(listed)].flatMap((match) =>
    (match[1] ?? '').split(',').map((item) => ({
      line: lineAt(text, match.index),
      name: item.trim().split(/\s+/).at(-1) ?? '',
    })),
  )
  return [...declarations, ...lists]
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
