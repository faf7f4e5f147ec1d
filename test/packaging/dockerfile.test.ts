// What can be known of the image by reading: no engine builds it here.
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, root), 'utf8')

/** Instructions in order, with continued lines joined and comments left out. */
const instructions = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, ' ')
  .split('\n')
  .filter(Boolean)
  .map((line) => ({ name: line.split(' ', 1)[0], rest: line.slice(line.indexOf(' ') + 1) }))
const all = (name: string) => instructions.filter((one) => one.name === name).map(({ rest }) => rest)
const allowed = read('.dockerignore')
  .split('\n')
  .filter((line) => line.startsWith('!'))
  .map((line) => line.slice(1))
const copied = all('COPY')
  .filter((rest) => !rest.startsWith('--from'))
  .flatMap((rest) => rest.split(' ').slice(0, -1))

test('everything that is copied exists and is not ignored', () => {
  expect(copied).toContain('gateway')
  expect(copied.filter((path) => !existsSync(new URL(path, root)))).toEqual([])
  expect(copied.filter((path) => !allowed.includes(path))).toEqual([])
  expect(allowed.filter((path) => !copied.includes(path))).toEqual([])
})

test('both stages stand on the Node that package.json asks for', () => {
  const { engines } = JSON.parse(read('package.json'))
  const oldest = /^>=(\d+)$/.exec(engines.node)?.[1]
  expect(all('FROM').map((rest) => rest.split(' ', 1)[0])).toEqual([`node:${oldest}-slim`, `node:${oldest}-slim`])
})

test('the gateway runs as nobody special, after everything that needs root', () => {
  expect(all('USER')).toEqual(['node'])
  const names = instructions.map(({ name }) => name)
  expect(names.lastIndexOf('RUN')).toBeLessThan(names.indexOf('USER'))
  expect(names.lastIndexOf('COPY')).toBeLessThan(names.indexOf('USER'))
})

test('it is stopped, asked for its health and given its state the way the gateway means it', () => {
  expect(all('STOPSIGNAL')).toEqual(['SIGTERM'])
  expect(all('HEALTHCHECK').join()).toMatch(/CMD \["node", "-e", .*127\.0\.0\.1:8082\/healthz/)
  expect(all('VOLUME')).toEqual(['/var/lib/banyan'])
  expect(all('ENV').join()).toContain('BANYAN_STATE_DIR=/var/lib/banyan')
  expect(all('ENTRYPOINT').map((rest) => JSON.parse(rest))).toEqual([['banyan', 'run']])
})

test('its dependencies are those of the lockfile, without what only the repository needs', () => {
  expect(all('RUN')[0]).toMatch(/^npm ci --omit=dev/)
})
