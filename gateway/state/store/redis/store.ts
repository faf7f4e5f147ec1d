// The store of many replicas: everything under one prefix of one Redis.
// The danger it guards against: a change that is pushed to nobody, so whatever is pushed is also looked for.
import type { Store, StoreOptions } from '../port.ts'
import type { RedisAddress } from '../url.ts'
import { createBudgets } from './budgets.ts'
import { connectTo } from './connection.ts'
import { createCounts } from './counts.ts'
import { createDocuments } from './documents.ts'
import { subscribeTo } from './pushes.ts'
import { createRecords } from './records.ts'
import { createReplicas } from './replicas.ts'
import { createValues } from './values.ts'

export async function createRedisStore(address: RedisAddress, options: StoreOptions): Promise<Store> {
  const { replicaId, namespace = 'gateway', inPassingMs = 100 } = options
  const prefix = `banyan:${namespace}:`
  const channel = `${prefix}changes`
  const connection = connectTo(address, options)
  const documents = createDocuments(connection, prefix, channel, options)
  const pushes = subscribeTo(address, channel, options, documents.refresh)
  connection.onState(({ is }) => is === 'down' && pushes.renew())
  await connection.tried
  return {
    ...documents,
    ...createBudgets(connection, prefix, inPassingMs),
    ...createCounts(connection, prefix, replicaId),
    ...createRecords(connection, prefix),
    ...createValues(connection, prefix, inPassingMs),
    ...createReplicas(connection, prefix, replicaId),
    state: connection.state,
    // A managed Redis may refuse CONFIG.
    evictionPolicy: () =>
      connection.ask(async (redis) => /^maxmemory_policy:(\S+)/m.exec(await redis.info('memory'))?.[1]),
    onState: connection.onState,
    close() {
      documents.close()
      pushes.close()
      connection.close()
    },
  }
}
