// After the run: the gateway is killed where it stands and started again, and asked what it still knows.
// The danger it guards against: a rollback that lasts until the next crash.
import { verifyAudit } from '../../gateway/state/auditVerify.ts'
import { connectTo } from '../client.ts'
import { type Decided, operatorsOf } from '../operators.ts'
import type { OwnSite } from '../site.ts'
import { judge } from '../traffic.ts'
import { route } from './plan.ts'
import type { Visitors } from './visitors.ts'

export interface Restart {
  /** What still holds: the same decision, in effect. */
  readonly isStillRolledBack: boolean
  readonly rollback?: Decided | undefined
  /** Visitors that the candidate had, who came once more, and how many of them the old side answered rightly. */
  readonly asked: number
  readonly answeredByOldSide: number
  readonly audit: {
    /** Whether it has the rollback, by whoever decided it. */
    readonly hasRollback: boolean
    readonly isSound: boolean
    readonly records: number
    readonly why?: string | undefined
  }
}

export interface RestartPlan {
  readonly site: OwnSite
  readonly visitors: Visitors
  /** Those that the candidate had. */
  readonly moved: readonly string[]
  readonly decided: Decided
  /** What the old side calls itself. */
  readonly oldSide: string
  readonly idPrefix: string
  readonly timeoutMs: number
}

const mostAsked = 50

export async function restart(plan: RestartPlan): Promise<Restart> {
  const { site, decided } = plan
  const { gateway, admin } = await site.crashGateway()
  const operators = operatorsOf(admin)
  try {
    const { why, rollback } = await operators.standing(route)
    const isSame = rollback?.at === decided.at && rollback.by === decided.by
    const asked = await askAgain(plan, gateway)
    const recorded = await operators.rollbacks(route)
    const hasRollback = recorded.some(({ by, reason }) => by === decided.by && reason === decided.reason)
    const { ok, writers } = await verifyAudit(site.stateDir)
    const records = writers.reduce((sum, chain) => sum + chain.records, 0)
    const broken = writers.find(({ brokenAt }) => brokenAt !== undefined)
    return {
      isStillRolledBack: why === 'rollback' && isSame,
      rollback,
      ...asked,
      audit: { hasRollback, isSound: ok, records, why: broken?.why },
    }
  } finally {
    operators.close()
  }
}

async function askAgain({ visitors, moved, oldSide, idPrefix, timeoutMs }: RestartPlan, gateway: string) {
  const client = connectTo(gateway, timeoutMs)
  try {
    const answers = await Promise.all(
      moved.slice(0, mostAsked).map(async (visitor, i) => {
        const request = visitors.nextOf(visitor)
        const fields = { ...request.ask.fields, 'X-Request-Id': `${idPrefix}${i}` }
        return judge(request, await client.send({ ...request.ask, fields }))
      }),
    )
    const answeredByOldSide = answers.filter(({ outcome, servedBy }) => outcome === 'ok' && servedBy === oldSide).length
    return { asked: answers.length, answeredByOldSide }
  } finally {
    client.close()
  }
}
