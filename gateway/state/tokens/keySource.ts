// Where an issuer's keys come from: a URL that is asked again and again, or a file that is followed.
// The danger it guards against: an issuer that answers slowly, or endlessly, and a request that waits for it.
import { follow } from '../../files/follow.ts'
import type { IssuerSettings } from '../../model.ts'

export interface KeySource {
  /** Looks now. Resolves once what it found has been told; never rejects. */
  look(): Promise<void>
  close(): Promise<void>
}

export interface KeySourceParts {
  take(text: string): void
  /** Why there is none. */
  fail(why: string): void
  /** Runs it later; keeps no process alive. */
  schedule(run: () => void, afterMs: number): void
  /** How long after one answer the URL is asked again. */
  nextMs(): number
}

type Place = Exclude<IssuerSettings['keys'], { from: 'secret' }>

export function openSource(place: Place, parts: KeySourceParts): KeySource {
  return place.from === 'url' ? openUrl(place.url, parts) : openFile(place.file, parts)
}

const answerWithinMs = 5_000
const mostBytes = 1_048_576

function openUrl(url: string, { take, fail, schedule, nextMs }: KeySourceParts): KeySource {
  const closing = new AbortController()
  let looking: Promise<void> | undefined

  async function ask(): Promise<void> {
    try {
      const text = await fetchText(url, closing.signal)
      if (!closing.signal.aborted) take(text)
    } catch (thrown) {
      if (!closing.signal.aborted) fail(troubleOf(thrown))
    } finally {
      looking = undefined
    }
  }

  const look = () => {
    looking ??= ask()
    return looking
  }
  async function lookAgainAndAgain(): Promise<void> {
    await look()
    if (!closing.signal.aborted) schedule(lookAgainAndAgain, nextMs())
  }

  void lookAgainAndAgain()
  return {
    look,
    async close() {
      closing.abort()
      await looking
    },
  }
}

/** A redirect is not followed: it would have the keys come from where nobody has written that they do. */
async function fetchText(url: string, closed: AbortSignal): Promise<string> {
  const signal = AbortSignal.any([closed, AbortSignal.timeout(answerWithinMs)])
  const headers = { accept: 'application/jwk-set+json, application/json' }
  const response = await fetch(url, { headers, redirect: 'error', signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`it answered ${response.status}`)
  }
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of response.body ?? []) {
    bytes += piece.length
    if (bytes > mostBytes) throw new Error(`it answered more than ${mostBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function troubleOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  return thrown.cause instanceof Error ? `${thrown.message}: ${thrown.cause.message}` : thrown.message
}

function openFile(file: string, { take, fail }: KeySourceParts): KeySource {
  const follower = follow({
    file,
    onContent: ({ text, problem }) => (problem ? fail(problem.message) : take(text)),
    pollMs: 1_000,
    settleMs: 50,
  })
  follower.start()
  void follower.look()
  return { look: follower.look, close: follower.close }
}
