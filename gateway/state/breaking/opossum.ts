// opossum behind our port, as its own options make it and no better: what it does not do, the table says
// (decisions/0007-breaker.md). The danger it guards against: a library's way of failing that nobody chose.
import { EventEmitter } from 'node:events'
import CircuitBreaker from 'opossum'
import type { CircuitState, Permit } from '../../model.ts'
import type { CreateEngine, Engine, EngineParts, FleetWord, Turn } from './engine.ts'

/** All breakers turn their windows at one beat: a timer each would cost more than the breakers themselves. */
const beatMs = 1_000

const nothing = new Error('says nothing of the upstream')
const failed = new Error('failed')
const sentences = {
  open: 'too many requests failed',
  halfOpen: 'one request is let through',
  closed: 'it was answered well',
}

/** @returns what makes engines; they share one timer, which runs from the first one on and keeps no process alive */
export function opossumEngines(): CreateEngine {
  let beat: EventEmitter | undefined
  return function createOpossumEngine(parts) {
    beat ??= startBeat()
    return engineOf(parts, beat)
  }
}

function startBeat(): EventEmitter {
  const beat = new EventEmitter().setMaxListeners(0)
  setInterval(() => beat.emit('rotate'), beatMs).unref()
  return beat
}

function engineOf({ settings, now, mayTry, turned }: EngineParts, beat: EventEmitter): Engine {
  const { errorShareBasisPoints, minRequests, windowMs, openMs, slow } = settings
  const buckets = Math.max(1, Math.round(windowMs / beatMs))
  const circuit = new CircuitBreaker((call: Promise<void>) => call, {
    timeout: false,
    volumeThreshold: minRequests,
    // It opens above its threshold, we open at ours.
    errorThresholdPercentage: errorShareBasisPoints / 100 - 1e-9,
    resetTimeout: openMs,
    rollingCountTimeout: buckets * beatMs,
    rollingCountBuckets: buckets,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    rotateBucketController: beat,
    errorFilter: (error) => error === nothing,
  })
  let openedAt = 0
  const state = () => stateOf(circuit)
  let last = state()
  /** Under way. */
  let word: FleetWord | undefined
  const turn = (to: CircuitState, more?: Pick<Turn, 'forMs'>) => {
    const from = last
    last = to
    turned({ from, to, reason: word?.reason ?? sentences[to], ...more, ...(word && { isFleets: true }) })
  }
  circuit.on('open', () => {
    openedAt = now()
    turn('open', { forMs: openMs })
  })
  circuit.on('halfOpen', () => turn('halfOpen'))
  circuit.on('close', () => turn('closed'))
  return {
    state,
    isClosed: () => circuit.closed,
    retryInMs: () => (circuit.opened ? Math.max(0, openedAt + openMs - now()) : 0),
    acquire: () =>
      circuit.closed || (circuit.pendingClose && mayTry()) ? permitOf(circuit, slow?.afterMs) : undefined,
    // It opens for its own time, whatever the fleet's is.
    obey(said) {
      word = said
      if (said.to === 'open') circuit.open()
      else circuit.close()
      word = undefined
    },
    // Who holds it still is let through; the beat lets go of it.
    retire() {
      circuit.close()
      circuit.disable()
    },
  }
}

function stateOf(circuit: Circuit): CircuitState {
  if (circuit.closed) return 'closed'
  return circuit.halfOpen ? 'halfOpen' : 'open'
}

type Circuit = CircuitBreaker<[Promise<void>], void>

function permitOf(circuit: Circuit, slowAfterMs = Number.POSITIVE_INFINITY): Permit {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  fire(circuit, promise)
  return {
    report(result, tookMs) {
      if (result === 'failed' || tookMs > slowAfterMs) reject(failed)
      else if (result === 'nothing') reject(nothing)
      else resolve()
    },
    // It knows of no call that fails after it has succeeded: this is one more.
    broke() {
      if (circuit.closed) fire(circuit, Promise.reject(failed))
    },
  }
}

/** What comes of it is told by events. */
function fire(circuit: Circuit, call: Promise<void>): void {
  circuit.fire(call).catch(() => {})
}
