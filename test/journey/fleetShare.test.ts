// What the whole fleet may have of an upstream is divided by those who are there.
import { expect, test } from 'vitest'
import { until } from '../state/store/stores.ts'
import { type Replica, read, startFleet } from './fleet.ts'
import { startBetween, startSides } from './sides.ts'

interface Told {
  readonly upstreams: readonly { readonly name: string; readonly connections: Record<string, number> }[]
}

const connectionsOf = async (replica: Pick<Replica, 'adminUrl'>) =>
  (await read<Told>(replica as Replica, 'status')).upstreams.find(({ name }) => name === 'old')?.connections

test('a gateway that comes takes its share, and gives it back when it goes', async () => {
  const { replicas, join } = await startFleet(2, '')
  const [one] = replicas
  if (!one) throw new Error('no replica')
  const mostIs = (most: number) => until(async () => (await connectionsOf(one))?.most === most)
  await mostIs(512)
  expect(await connectionsOf(one)).toMatchObject({ ofFleet: 1024, most: 512, waiting: 0 })
  expect(await one.metric('banyan_upstream_connections_most{upstream="old"}')).toBe(512)
  const third = await join()
  await mostIs(341)
  await third.close()
  await mostIs(512)
})

test('without a store the file says how many they are', async () => {
  const sides = await startSides()
  const gateway = await startBetween(`${sides.yaml}replicas: 4\n`)
  expect(await connectionsOf(gateway)).toMatchObject({ ofFleet: 1024, most: 256 })
  expect(await gateway.metric('banyan_upstream_pending{upstream="old"}')).toBe(0)
  await gateway.close()
  await sides.close()
})
