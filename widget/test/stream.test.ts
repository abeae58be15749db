import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Api } from '../panel/api'
import { follow, type Follower } from '../panel/stream'
import type { Message } from '../panel/types'

const ANSWER_MS = 100
const MUTE_MS = 5_000

describe('where streams bring nothing', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('window', new EventTarget())
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  /** Follow a conversation through polls that are answered soon, for ten seconds: how many there were of them. */
  async function polls(news: boolean): Promise<number> {
    let asked = 0
    let place = 0
    const api = {
      ask: async (path: string) => {
        await new Promise((done) => setTimeout(done, ANSWER_MS))
        const poll = path.includes('&wait=')
        if (poll) asked += 1
        return { messages: poll && news ? [{ seq: place + 1 } as Message] : [], conversation: { status: 'open' } }
      },
      open: (_path: string, { signal }: { signal: AbortSignal }) =>
        new Promise((_done, failed) => signal.addEventListener('abort', () => failed(new Error('hung up')))),
    } as unknown as Api
    const follower: Follower = {
      after: () => place,
      changed: (change) => {
        if (change.kind === 'read') place = change.messages.at(-1)?.seq ?? place
      },
      connected: () => undefined,
      gone: () => undefined,
    }
    const ends = new AbortController()
    const following = follow(api, 'c', follower, ends.signal)
    await vi.advanceTimersByTimeAsync(MUTE_MS + 1_000)
    asked = 0
    await vi.advanceTimersByTimeAsync(10_000)
    ends.abort()
    await vi.runAllTimersAsync()
    await following
    return asked
  }

  it('a poll follows at once upon one that brought something', async () => {
    expect(await polls(true)).toBeGreaterThanOrEqual(10_000 / ANSWER_MS)
  })

  it('a server that does not let polls wait is not stormed', async () => {
    expect(await polls(false)).toBeLessThan(6)
  })
})
