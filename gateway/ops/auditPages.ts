// What operators read of the audit beside its records: where each of its chains stands, to be noted elsewhere.
// The danger it guards against: an end that is cut off, which only shows against a head that was noted outside stateDir.
import type { FastifyInstance } from 'fastify'
import type { FoundHead } from '../state/auditRead.ts'
import type { Gateway } from './gateway.ts'

export interface AuditHeads {
  /** ISO 8601. */
  readonly at: string
  readonly heads: readonly FoundHead[]
}

interface Options {
  readonly gateway: Pick<Gateway, 'record'>
  readonly wall: () => number
}

export async function auditPages(app: FastifyInstance, { gateway, wall }: Options): Promise<void> {
  app.get('/audit/heads', { config: { role: 'read' } }, async (): Promise<AuditHeads> => {
    return { at: new Date(wall()).toISOString(), heads: await gateway.record.heads() }
  })
}
