// One worker thread at a time, and the one comparison that it has under way.
// The danger it guards against: a comparison that nobody settles, because its thread died, hung or was ended.
import { Worker } from 'node:worker_threads'
import type { Compared, Comparison } from './comparison.ts'
import type { Question, Reply } from './worker.ts'

/** Why there is no Comparison. `internal`: a mistake of ours, with its place. */
export type ComparingCode = 'timedOut' | 'died' | 'closed' | 'internal'

export class ComparingFailure extends Error {
  override readonly name = 'ComparingFailure'
  readonly code: ComparingCode

  constructor(code: ComparingCode, place = '') {
    super(place === '' ? `the comparison ended without a result: ${code}` : `the comparison failed: ${place}`)
    this.code = code
  }
}

interface Limits {
  readonly timeoutMs: number
  readonly heapMb: number
  readonly key: Uint8Array
}

interface Job {
  readonly timer: NodeJS.Timeout
  readonly resolve: (comparison: Comparison) => void
  readonly reject: (failure: ComparingFailure) => void
}

// Node strips types of the sources in a clone; in a package the compiled file stands in the same place.
const script = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)
/** Loading its modules is not the body's fault, and takes long on a busy machine. */
const startWithinMs = 10_000

export class Seat {
  readonly #limits: Limits
  #worker: Worker | undefined
  #job: Job | undefined

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get isFree(): boolean {
    return this.#job === undefined
  }

  /** Only while free. */
  async compare(question: Question): Promise<Comparison> {
    const { timeoutMs } = this.#limits
    const withinMs = this.#worker ? timeoutMs : startWithinMs + timeoutMs
    const worker = this.#worker ?? this.#start()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#leave(worker, 'timedOut'), withinMs)
      timer.unref()
      this.#job = { timer, resolve, reject }
      const old = owned(question.old)
      const candidate = owned(question.candidate)
      worker.postMessage({ ...question, old, candidate }, [...buffersOf(old), ...buffersOf(candidate)])
    })
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (worker) this.#leave(worker, 'closed')
    await worker?.terminate()
  }

  #start(): Worker {
    const { heapMb, key } = this.#limits
    const worker = new Worker(script, {
      workerData: new Uint8Array(key),
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
      // Neither our environment, which holds secrets, nor flags that were meant for the main script.
      env: {},
      execArgv: [],
    })
    worker.on('message', (reply: Reply) => this.#settle(worker, reply))
    // What it died of is no more than that it died: the message may quote a body. 'exit' follows.
    worker.on('error', () => {})
    worker.on('exit', () => this.#leave(worker, 'died'))
    // Last: a listener for messages would make the process wait for it again.
    worker.unref()
    this.#worker = worker
    return worker
  }

  /** A late reply of a worker that was given up belongs to no job of today. */
  #settle(worker: Worker, reply: Reply): void {
    if (worker !== this.#worker) return
    const job = this.#takeJob()
    if ('comparison' in reply) job?.resolve(reply.comparison)
    else job?.reject(new ComparingFailure('internal', reply.failure))
  }

  /** Gives a worker up; one that was given up before is no longer ours to judge by. */
  #leave(worker: Worker, code: ComparingCode): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    void worker.terminate()
    worker.unref()
    this.#takeJob()?.reject(new ComparingFailure(code))
  }

  #takeJob(): Job | undefined {
    const job = this.#job
    this.#job = undefined
    if (job) clearTimeout(job.timer)
    return job
  }
}

/** A copy that can be given away: a Buffer may lie in memory that it shares, and may still be on its way to the client. */
function owned({ status, fields, body }: Compared): Compared {
  return { status, fields, body: typeof body === 'string' ? body : new Uint8Array(body) }
}

function buffersOf({ body }: Compared): ArrayBuffer[] {
  return typeof body === 'string' ? [] : [body.buffer as ArrayBuffer]
}
