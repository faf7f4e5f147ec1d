// What somebody at a terminal wants to hear of the gateway's log: its life, not each request.
// The danger it guards against: a refused routes.yaml that scrolls by unseen among JSON.

/** Where the gateway listens, scheme://host:port each. */
export interface Doors {
  readonly public: string
  readonly admin: string
  readonly probes: string
}

interface Line extends Partial<Doors> {
  readonly level?: string
  readonly msg?: string
  readonly revision?: number
  readonly problems?: readonly string[]
  readonly warnings?: readonly string[]
}

/** The addresses in the one line of the log that has them. */
export function doorsIn(line: string): Doors | undefined {
  const { msg, public: door, admin, probes } = parse(line) ?? {}
  return msg === 'listening' && door && admin && probes ? { public: door, admin, probes } : undefined
}

/** A line for people; undefined for lines about single requests and what nobody asked. */
export function newsIn(line: string): string | undefined {
  const said = parse(line)
  if (!said) return line
  const { msg, level, revision, problems = [], warnings = [] } = said
  if (msg === 'exchange' || msg === 'listening') return undefined
  const mark = level === 'info' ? '' : `${level}: `
  const about = revision === undefined ? '' : ` (revision ${revision})`
  return [`gateway  ${mark}${msg}${about}`, ...[...problems, ...warnings].map((problem) => `  ${problem}`)].join('\n')
}

function parse(line: string): Line | undefined {
  try {
    return JSON.parse(line) as Line
  } catch {
    return undefined
  }
}
