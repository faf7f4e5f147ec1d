// What operators may order of the rollouts: rollback, pause, resume, ack, promote; of one, or a rollback of all.
// The danger it guards against: an order that loses what clients have written, or that rests on nothing, without being told so.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Decision } from '../model.ts'
import { decidedOf, rolledBack } from '../rollout/effective.ts'
import { compareStandings } from '../rollout/standing.ts'
import { Refusal, type RolloutState } from '../state/rolloutBook.ts'
import type { Gateway } from './gateway.ts'
import { operatorOf } from './operators.ts'
import { sendProblem } from './problem.ts'
import { evidenceFor, targetOf } from './promoting.ts'
import { rolloutView, type WritesView, writesView } from './rolloutView.ts'

interface Order {
  readonly by?: string
  readonly reason?: string
  readonly acceptLoss?: boolean
  readonly force?: boolean
  readonly to?: string
}

export type Named = { Params: { key: string } }
type Asking = FastifyRequest<Named & { Body: Order }>

/** A rollback would leave writes behind, and nobody has said that this is accepted. */
class LossRefusal extends Refusal {
  readonly writesTaken: WritesView

  constructor(message: string, writesTaken: WritesView) {
    super(message)
    this.writesTaken = writesTaken
  }
}

export const orderNames = ['rollback', 'pause', 'resume', 'ack', 'promote'] as const
type OrderName = (typeof orderNames)[number]

const words = { by: { type: 'string', minLength: 1, maxLength: 64 }, reason: { type: 'string', maxLength: 500 } }
const yes = { type: 'boolean' }
const own: Readonly<Record<OrderName, object>> = {
  rollback: { acceptLoss: yes },
  pause: {},
  resume: {},
  ack: {},
  promote: { force: yes, to: { type: 'string', maxLength: 16 } },
}

interface Options {
  readonly gateway: Gateway
}

export async function orders(app: FastifyInstance, { gateway }: Options): Promise<void> {
  const carryOut = ordersOf(gateway)
  // An order may be without words.
  app.addHook('preValidation', async (request) => {
    request.body ??= {}
  })
  for (const name of orderNames) {
    app.post(`/rollouts/:key/${name}`, orderOf(own[name]), (request: Asking, reply) =>
      answer(request, reply, gateway, carryOut[name]),
    )
  }
  app.post('/rollback', orderOf(own.rollback), async (request: Asking, reply) => {
    const results = await Promise.all(gateway.rollouts.states().map((state) => rollBackOne(state, request, carryOut)))
    const has = (result: RolledBack['result']) => results.some((one) => one.result === result)
    if (has('refused')) return sendProblem(reply, 409, 'Not all of them were rolled back.', { rollouts: results })
    if (has('notWritten')) return sendProblem(reply, 500, notWritten, { rollouts: results })
    return sendConfirmed(reply, gateway, { rollouts: results })
  })
}

function orderOf(properties: object) {
  const schema = { body: { type: 'object', additionalProperties: false, properties: { ...words, ...properties } } }
  return { schema, config: { role: 'operate' } } as const
}

function decisionOf(request: Asking): Decision {
  const { by, reason } = request.body
  return { by: operatorOf(request, by), reason: reason || 'asked for by hand' }
}

type CarryOut = (state: RolloutState, request: Asking) => Promise<void>

async function answer(request: Asking, reply: FastifyReply, gateway: Gateway, carryOut: CarryOut) {
  const state = stateOf(request.params.key, gateway)
  if (typeof state === 'string') return sendProblem(reply, 404, 'Nothing of that name moves.', { detail: state })
  try {
    await carryOut(state, request)
  } catch (thrown) {
    return sendRefusal(reply, thrown)
  }
  return sendConfirmed(reply, gateway, rolloutView(gateway.rollouts.state(state.rollout.key), gateway))
}

/** Once all replicas have it; else names those that may not. */
async function sendConfirmed(reply: FastifyReply, gateway: Gateway, body: object): Promise<FastifyReply> {
  const missing = await gateway.sharing.unconfirmed()
  if (missing.length === 0) return reply.send(body)
  const detail = `not confirmed by ${missing.join(', ')}`
  return sendProblem(reply, 504, 'This is in effect here, and may not be at other replicas.', {
    ...body,
    detail,
    missing,
  })
}

/** @returns a sentence when there is none of that name */
export function stateOf(key: string, { rollouts }: Gateway): RolloutState | string {
  try {
    return rollouts.state(key)
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.message
    throw thrown
  }
}

function sendRefusal(reply: FastifyReply, thrown: unknown): FastifyReply {
  if (thrown instanceof LossRefusal)
    return sendProblem(reply, 409, 'This would lose writes.', {
      detail: thrown.message,
      writesTaken: thrown.writesTaken,
    })
  if (thrown instanceof Refusal) return sendProblem(reply, 409, 'The order is refused.', { detail: thrown.message })
  return sendProblem(reply, 500, notWritten, { detail: String(thrown) })
}

/** What is ordered takes effect before it is written down. */
const notWritten = 'This is in effect, but not written down: a restart would forget it.'

function ordersOf(gateway: Gateway): Readonly<Record<OrderName, CarryOut>> {
  const { rollouts } = gateway
  return {
    async rollback(state, request) {
      refuseLoss(state, request, gateway)
      await rollouts.rollBack(state.rollout.key, decisionOf(request))
    },
    pause: ({ rollout }, request) => rollouts.pause(rollout.key, decisionOf(request)),
    resume: ({ rollout }, request) => rollouts.resume(rollout.key, decisionOf(request)),
    ack: ({ rollout }, request) => rollouts.acknowledge(rollout.key, decisionOf(request)),
    async promote(state, request) {
      const to = targetOf(state, request.body.to)
      const { rollback, pause } = state.overrides
      // Over those nothing goes further, whatever speaks for it: the book says what to do first.
      const evidence = rollback || pause ? {} : evidenceFor(state, to, request.body, gateway)
      await rollouts.advance(state.rollout.key, to, { ...decisionOf(request), ...evidence })
    },
  }
}

/** @throws LossRefusal */
function refuseLoss({ rollout, effective, overrides }: RolloutState, { body }: Asking, gateway: Gateway): void {
  const { key, takesWrites, writesSurviveRollback } = rollout
  const mayLose = takesWrites && !writesSurviveRollback && effective.shareBasisPoints > 0 && !overrides.rollback
  if (!mayLose || body.acceptLoss) return
  const writesTaken = writesView(rollout, gateway)
  throw new LossRefusal(
    `the new side of "${key}" has taken ${writesTaken.total} writes (counted since ${writesTaken.countedSince}), and nobody has said that the old side has them (writesSurviveRollback); to go back all the same: --accept-loss (acceptLoss: true)`,
    writesTaken,
  )
}

export interface RolledBack {
  readonly key: string
  readonly result: 'rolledBack' | 'already' | 'final' | 'refused' | 'notWritten'
  readonly detail?: string
}

async function rollBackOne(
  state: RolloutState,
  request: Asking,
  carryOut: Pick<Record<OrderName, CarryOut>, 'rollback'>,
): Promise<RolledBack> {
  const { rollout, overrides } = state
  const { key } = rollout
  const standing = decidedOf(rollout, overrides)
  if (standing.stage === 'final') return { key, result: 'final' }
  if (compareStandings(standing, rolledBack(rollout)) <= 0) return { key, result: 'already' }
  try {
    await carryOut.rollback(state, request)
    return { key, result: 'rolledBack' }
  } catch (thrown) {
    if (thrown instanceof Refusal) return { key, result: 'refused', detail: thrown.message }
    return { key, result: 'notWritten', detail: String(thrown) }
  }
}
