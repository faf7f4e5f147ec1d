// `node legacy-mock/main.ts --port 4000`: the monolith as a process.
import { runCommand } from '../services/kit/command.ts'
import { startMonolith } from './monolith.ts'

await runCommand({
  service: 'monolith',
  defaultPort: 4000,
  own: ['data'],
  start: ({ port, host, own }) => startMonolith({ port, host, ...(own.data && { dataDir: own.data }) }),
})
