// Answers that end by nobody's request, event streams and tunnels, made so that they can be ended from outside: first with a
// goodbye, where the protocol has one, then by force.
// The danger it guards against: a download that is cut because it looked like a stream. It is finite, and half a file is a broken one.
import { Readable } from 'node:stream'
import { EventBody, isEventStream } from '../message/eventStream.ts'
import type { Answer, Clock } from '../model.ts'

/** What can be ended from outside. */
export interface Endable {
  /** With a goodbye, where the protocol has one. */
  leave(): void
  cut(): void
}

/** @returns undefined for what ends by itself */
export function endableOf(answer: Answer, clock: Pick<Clock, 'now'>): (Endable & { answer: Answer }) | undefined {
  if (answer.tunnel) return endableTunnel(answer)
  const { body, fields } = answer
  // One that declares its length is finite, whatever it says of its type, and cannot be ended early (RFC 9112 §6.3).
  if (!(body instanceof Readable) || fields.has('content-length')) return undefined
  return isEventStream(fields.get('content-type')) ? endableEvents(answer, body, clock) : undefined
}

function endableTunnel(answer: Answer): Endable & { answer: Answer } {
  let isLeaving = false
  let tell: (() => void) | undefined
  const onLeave = (listener: () => void) => {
    let isTold = false
    const once = () => {
      if (!isTold) listener()
      isTold = true
    }
    // Somebody else may have a reason of his own to end it.
    answer.onLeave?.(once)
    if (isLeaving) once()
    else tell = once
  }
  return {
    answer: { ...answer, onLeave },
    leave() {
      isLeaving = true
      tell?.()
    },
    cut: () => answer.tunnel?.destroy(),
  }
}

function endableEvents(answer: Answer, body: Readable, clock: Pick<Clock, 'now'>): Endable & { answer: Answer } {
  // Whole for the client, and nobody's failure; else the source would say that its reader has gone.
  const events = new EventBody(body, (bodyBytes) => answer.settle({ how: 'complete', bodyBytes, at: clock.now() }))
  return { answer: { ...answer, body: events }, leave: () => events.leave(), cut: () => events.cut() }
}
