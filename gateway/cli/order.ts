// banyan pause, resume and ack: one order to one rollout, and what holds then.
// The danger it guards against: an operator who believes that the file holds, and something else does.
import type { RolloutView, StandingView } from '../ops/rolloutView.ts'
import { asking, askingOptions, tell } from './askAdmin.ts'
import type { Command, Option } from './command.ts'

export const reasonOption: Option = { type: 'string', value: 'TEXT', help: 'why, for the history' }

interface About {
  readonly name: 'pause' | 'resume' | 'ack'
  readonly summary: string
  textOf(view: RolloutView): string
}

export const pause = orderOf({
  name: 'pause',
  summary: 'Holds a move where it stands; a rollback still goes through.',
  textOf: ({ key, effective }) => `${key} is paused at ${standingText(effective)}`,
})

export const resume = orderOf({
  name: 'resume',
  summary: 'Ends a pause.',
  textOf: ({ key, effective }) => `${key} goes on, at ${standingText(effective)}`,
})

export const ack = orderOf({
  name: 'ack',
  summary: 'Ends a rollback: what the file says holds again, at once.',
  textOf: ({ key, effective, declared }) =>
    effective.why === 'file'
      ? `${key}: the rollback has ended; the stage of the file holds again: ${standingText(declared)}`
      : `${key}: the rollback has ended; ${standingText(effective)} is served (${effective.why}), the file says ${standingText(declared)}`,
})

function orderOf({ name, summary, textOf }: About): Command {
  return {
    name,
    operands: 'ROUTE',
    count: [1, 1],
    summary,
    options: { reason: reasonOption, ...askingOptions },
    run: asking(async (ask, telling) => {
      const { operands, value } = telling.given
      const answered = await ask.post<RolloutView>(`${placeOf(operands[0])}/${name}`, { reason: value('reason') })
      return tell(answered, telling, textOf)
    }),
  }
}

/** Of the route's or the group's rollout at the admin listener. */
export function placeOf(name = ''): string {
  return `/rollouts/${encodeURIComponent(name)}`
}

/** `canary 10%`; the stages without a choice by their name alone. */
export function standingText({ stage, share }: StandingView): string {
  return stage === 'canary' || (stage === 'live' && share !== '100%') ? `${stage} ${share}` : stage
}
