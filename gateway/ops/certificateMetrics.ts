// When the certificates end, for Prometheus.
// The danger it guards against: the Sunday on which one has expired.
import type { CertificateBook } from '../state/certificates.ts'
import type { ReadMetric } from './rolloutMetrics.ts'

export function certificateMetric({ views }: Pick<CertificateBook, 'views'>): ReadMetric {
  const about = {
    name: 'banyan_certificate_expiry_timestamp_seconds',
    help: 'When a certificate of the public door expires; seconds since the epoch.',
    type: 'gauge',
  }
  const values = () =>
    views().map(({ names, expiresAt }) => ({ labels: { names }, value: Math.floor(expiresAt / 1_000) }))
  return { name: about.name, get: async () => ({ ...about, aggregator: 'sum', values: values() }) }
}
