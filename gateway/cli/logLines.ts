// The lines of a log about one request, out of gigabytes, without parsing the others.
// The danger it guards against: a line that is no line of ours (a cut one, another program's) and ends the search.

/** A line as ops/log.ts writes it. */
export interface LogLine {
  readonly time: string
  readonly id: string
  readonly route: string
  /** As declared. */
  readonly stage?: string
  /** What its side was chosen by, `canary 10%` say, and what had decided that. */
  readonly effective?: string
  readonly why?: string
  readonly side?: 'old' | 'new'
  readonly upstream?: string
  readonly by: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly outcome: string
  readonly failure?: string
  /** Of the new side, in whose place the old one answered. */
  readonly fallback?: string
  readonly reason?: string
  readonly durationMs: number
  readonly bodyBytes: number
  readonly client?: string
  readonly revision?: number
}

const newline = 0x0a
/** No line of ours is longer; what is belongs to somebody else and is cut. */
const maxLineBytes = 64 * 1024

/** In the order of the log: the newest last. */
export async function* linesAbout(id: string, chunks: AsyncIterable<Buffer>): AsyncIterable<LogLine> {
  // As JSON writes it, so that the bytes can be searched.
  const needle = Buffer.from(JSON.stringify(id))
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = bytes.lastIndexOf(newline) + 1
    yield* search(bytes.subarray(0, end), { id, needle })
    rest = bytes.subarray(Math.max(end, bytes.length - maxLineBytes))
  }
  yield* search(rest, { id, needle })
}

interface Sought {
  readonly id: string
  readonly needle: Buffer
}

function* search(bytes: Buffer, { id, needle }: Sought): Iterable<LogLine> {
  let at = bytes.indexOf(needle)
  while (at >= 0) {
    const start = bytes.lastIndexOf(newline, at) + 1
    const next = bytes.indexOf(newline, at)
    const end = next < 0 ? bytes.length : next
    const line = parseLine(bytes.toString('utf8', start, end))
    if (line?.id === id) yield line
    at = bytes.indexOf(needle, end)
  }
}

function parseLine(text: string): LogLine | undefined {
  // A collector may have put its own words (time, container) before ours.
  const json = text.slice(Math.max(0, text.indexOf('{')))
  try {
    const line = JSON.parse(json)
    return line?.msg === 'exchange' ? line : undefined
  } catch {
    return undefined
  }
}
