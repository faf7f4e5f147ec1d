// A few requests before the run, so that nobody is slow for being asked for the first time.
// The danger it guards against: a guard that goes by the first seconds of two cold systems.
import type { Client } from '../client.ts'
import { judge } from '../traffic.ts'
import type { Visitors } from './visitors.ts'

export interface WarmPlan {
  readonly client: Client
  readonly visitors: Visitors
  /** Every id of these requests begins so. */
  readonly idPrefix: string
  readonly signal: AbortSignal
}

const lanes = 4
const requestsPerLane = 50

/** @throws Error when an answer is not as it must be. */
export async function warmUp({ client, visitors, idPrefix, signal }: WarmPlan): Promise<void> {
  const walk = async (lane: number) => {
    for (let i = 0; i < requestsPerLane && !signal.aborted; i += 1) {
      const request = visitors.next()
      const fields = { ...request.ask.fields, 'X-Request-Id': `${idPrefix}${lane}-${i}` }
      const { outcome, status, why } = judge(request, await client.send({ ...request.ask, fields }))
      if (outcome !== 'ok')
        throw new Error(`before the run: ${request.ask.target}: ${outcome}, ${status}: ${why ?? ''}`)
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, lane) => walk(lane)))
}
