// Lines to a file or to stdout, many at a time, off the request's path.
// The danger it guards against: a full disk, a vanished directory or a stalled reader that fails or holds up a request,
// or the exit (sonic-boom throws from write() when its file could not be opened, and its flushSync never returns on ENOSPC).
import { closeSync, openSync, write, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolder } from '../state/folder.ts'

const flushBytes = 64 * 1024
const flushAfterMs = 100
/** Before a pipe that is full is tried again. */
const whenFullMs = 5
const closeWithinMs = 1000
/** What may wait for a destination that takes nothing; lines beyond it are dropped and counted. */
const maxWaitingBytes = 8 * 1024 * 1024

export class Lines {
  /** Lines that were not written because too many waited. */
  dropped = 0
  readonly #file: string | undefined
  #fd: number | undefined
  #waiting: string[] = []
  #waitingBytes = 0
  /** What the destination has not taken yet of the chunk under way. */
  #chunk: Buffer | undefined
  #isWriting = false
  /** Then only the timer tries again, not each line. */
  #isFailing = false
  #mustReopen = false
  #timer: NodeJS.Timeout | undefined
  #idle: (() => void)[] = []

  /** @param to a file descriptor, or a file that is appended to, with its directory made where missing. */
  constructor(to: number | string) {
    if (typeof to === 'string') this.#file = to
    else this.#fd = nonBlocking(to)
  }

  /** Takes one line, its line end included. Never throws and never waits. */
  write(line: string): void {
    if (this.#waitingBytes + line.length > maxWaitingBytes) {
      this.dropped += 1
      return
    }
    this.#waiting.push(line)
    this.#waitingBytes += line.length
    if (this.#waitingBytes >= flushBytes && !this.#isFailing) this.flush()
    else this.#flushLater()
  }

  /** Starts writing what waits. */
  flush(): void {
    if (this.#isWriting) return
    const chunk = this.#next()
    const fd = this.#open()
    if (chunk === undefined || fd === undefined) {
      this.#rest(chunk === undefined)
      return
    }
    this.#isWriting = true
    write(fd, chunk, (failure, bytes) => {
      this.#isWriting = false
      if (failure) {
        this.#fail(failure)
        return
      }
      this.#chunk = bytes < chunk.length ? chunk.subarray(bytes) : undefined
      this.flush()
    })
  }

  /** Opens the file anew before the next write: it has been moved away (logrotate). */
  reopen(): void {
    this.#mustReopen = this.#file !== undefined
    this.flush()
  }

  /** Writes what waits and closes; gives up on a destination that fails, or takes nothing for a second. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const patience = setTimeout(resolve, closeWithinMs)
    this.#idle.push(resolve)
    this.flush()
    await promise
    clearTimeout(patience)
    clearTimeout(this.#timer)
    this.#closeFile()
  }

  /** Writes what waits at once, as far as the destination takes it: for the exit of the process. */
  flushSync(): void {
    if (this.#isWriting) return
    const fd = this.#open()
    let chunk = this.#next()
    try {
      while (fd !== undefined && chunk !== undefined) {
        const bytes = writeSync(fd, chunk)
        this.#chunk = bytes < chunk.length ? chunk.subarray(bytes) : undefined
        chunk = this.#next()
      }
    } catch {
      // Nobody is left to be told.
    }
  }

  #next(): Buffer | undefined {
    if (this.#chunk) return this.#chunk
    if (this.#waiting.length === 0) return undefined
    this.#chunk = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    this.#waitingBytes = 0
    return this.#chunk
  }

  #open(): number | undefined {
    if (this.#file === undefined) return this.#fd
    if (this.#fd !== undefined && !this.#mustReopen) return this.#fd
    try {
      makeFolder(dirname(this.#file))
      const fd = openSync(this.#file, 'a', 0o640)
      this.#closeFile()
      this.#fd = fd
      this.#mustReopen = false
    } catch {
      // The old file, if there is one, goes on; the next flush tries again.
    }
    return this.#fd
  }

  #closeFile(): void {
    if (this.#file !== undefined && this.#fd !== undefined) closeSync(this.#fd)
    if (this.#file !== undefined) this.#fd = undefined
  }

  /** Nothing is under way: all is written, or the destination failed and is tried again later. */
  #rest(isDone: boolean): void {
    this.#isFailing = !isDone
    for (const resolve of this.#idle.splice(0)) resolve()
    if (!isDone) this.#flushLater()
  }

  #fail({ code }: NodeJS.ErrnoException): void {
    if (code !== 'EAGAIN') {
      this.#rest(false)
      return
    }
    // A reader that is slow, not gone: `close` waits for it.
    this.#isFailing = true
    this.#flushIn(whenFullMs)
  }

  #flushLater(): void {
    if (!this.#timer) this.#flushIn(flushAfterMs)
  }

  #flushIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.flush()
    }, ms)
    this.#timer.unref()
  }
}

/** A write that blocks on a full pipe keeps even process.exit() waiting; Node makes the pipe of a stream non-blocking. */
function nonBlocking(fd: number): number {
  return fd === 1 ? process.stdout.fd : fd
}
