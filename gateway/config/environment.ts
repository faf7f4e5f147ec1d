// `${NAME}` and `${NAME:-default}` in the values of routes.yaml, put in after the YAML has been parsed.
// The dangers it guards against: a variable whose value is read as YAML, and one whose value is shown in a Problem.

export type Environment = Readonly<Record<string, string | undefined>>

/** What has been put into the file so far, to keep it out of messages. */
export interface Substitution {
  /** The text with its references resolved; what is missing or malformed is told to `onMistake` and left as it stands. */
  resolve(text: string, onMistake: (message: string) => void): string
  /** A message in which every value that came from the environment is replaced by its reference. */
  scrub(message: string): string
}

const reference = /\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g

export function createSubstitution(env: Environment): Substitution {
  const shown = new Map<string, string>()

  /** The value of one reference; undefined when it has none. */
  function lookUp(name: string, otherwise: string | undefined): string | undefined {
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    // As in a shell, `:-` also speaks for a variable that is set to nothing.
    if (otherwise !== undefined && (value === undefined || value === '')) return otherwise
    if (value !== undefined) remember(shown, value, name)
    return value
  }

  return {
    resolve: (text, onMistake) =>
      text.replace(reference, (written, name?: string, otherwise?: string) => {
        const value = name === undefined ? undefined : lookUp(name, otherwise)
        if (value === undefined) onMistake(name === undefined ? malformed : missing(name))
        return value ?? written
      }),
    scrub(message) {
      const values = [...shown.keys()].sort((a, b) => b.length - a.length)
      if (values.length === 0) return message
      const anyOfThem = new RegExp(values.map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g')
      return message.replace(anyOfThem, (value) => `\${${shown.get(value)}}`)
    },
  }
}

const malformed = `"$\{" must go on with a name and "}", as in $\{NAME} or $\{NAME:-default}`

function missing(name: string): string {
  return `the environment variable ${name} is not set; set it or write \${${name}:-default}`
}

/** Also as JSON quotes it and as a URL lowers it, because messages do. */
function remember(shown: Map<string, string>, value: string, name: string): void {
  if (value === '') return
  for (const seen of [value, value.toLowerCase(), JSON.stringify(value).slice(1, -1)]) shown.set(seen, name)
}

/** The value of an unquoted scalar, as YAML's core schema reads it. Only after a substitution: YAML itself did the rest. */
export function typed(text: string): unknown {
  if (/^(|~|null|Null|NULL)$/.test(text)) return null
  if (/^(true|True|TRUE)$/.test(text)) return true
  if (/^(false|False|FALSE)$/.test(text)) return false
  if (/^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$/.test(text)) return Number(text)
  return text
}
