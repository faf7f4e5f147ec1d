import { expect, test } from 'vitest'
import { fieldsOf } from '../../gateway/message/fields.ts'
import { withForwarding } from '../../gateway/message/forwarded.ts'

const client = { address: '198.51.100.2', peer: '198.51.100.2', peerTrusted: false, tls: false }

test("an untrusted client's forwarding fields are replaced", () => {
  const fields = fieldsOf([
    'Host',
    'shop',
    'X-FORWARDED-FOR',
    '6.6.6.6',
    'Forwarded',
    'for=6.6.6.6',
    'X-Forwarded-Proto',
    'https',
  ])
  expect(withForwarding(fields, { id: 'id-123456', client }).raw).toEqual([
    'Host',
    'shop',
    'X-Forwarded-For',
    '198.51.100.2',
    'X-Forwarded-Proto',
    'http',
    'X-Forwarded-Host',
    'shop',
    'Forwarded',
    'for=198.51.100.2;host="shop";proto=http',
    'Via',
    '1.1 banyan',
    'X-Request-Id',
    'id-123456',
  ])
})

test('a trusted proxy is appended to and its word on scheme and host stands', () => {
  const proxy = { address: '198.51.100.2', peer: '10.0.0.1', peerTrusted: true, tls: false }
  const fields = fieldsOf([
    'Host',
    'in',
    'X-Forwarded-For',
    '198.51.100.2',
    'X-Forwarded-Proto',
    'https',
    'X-Forwarded-Host',
    'shop',
  ])
  const told = withForwarding(fields, { id: 'id-123456', client: proxy })
  expect(told.all('x-forwarded-for')).toEqual(['198.51.100.2, 10.0.0.1'])
  expect(told.all('x-forwarded-proto')).toEqual(['https'])
  expect(told.all('x-forwarded-host')).toEqual(['shop'])
  expect(told.has('forwarded'), 'a Forwarded of ours would name the proxy as the client').toBe(false)
})

test('a trusted Forwarded is appended to, IPv6 in quotes and brackets', () => {
  const proxy = { address: 'fd00::1', peer: 'fd00::1', peerTrusted: true, tls: true }
  const told = withForwarding(fieldsOf(['Host', 'h', 'Forwarded', 'for=1.2.3.4', 'Via', '1.0 lb']), {
    id: 'x'.repeat(8),
    client: proxy,
  })
  expect(told.all('forwarded')).toEqual(['for=1.2.3.4, for="[fd00::1]";host="h";proto=https'])
  expect(told.all('via')).toEqual(['1.0 lb, 1.1 banyan'])
})
