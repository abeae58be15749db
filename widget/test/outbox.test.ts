import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem } from '../panel/api'
import { Outbox, type Carrier } from '../panel/outbox'
import { openStorage } from '../panel/storage'
import type { Message, Unsent } from '../panel/types'

function memory() {
  const kept = new Map<string, string>()
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
    keys: () => [...kept.keys()],
  }
}

/** A server that answers as the script says, then says yes. */
function scene(shelf = memory()) {
  const script: (Problem | 'lost')[] = []
  const sent: string[] = []
  const ids: string[] = []
  let shown: Unsent[] = []
  let online = true
  const carrier: Carrier = {
    send: async (item) => {
      ids.push(item.id)
      const verdict = script.shift()
      if (verdict instanceof Problem) throw verdict
      if (verdict === 'lost') throw new Problem(0, 'lost')
      sent.push(item.text)
      return { id: item.id, text: item.text } as Message
    },
    sent: () => undefined,
    changed: (items) => (shown = items),
    online: () => online,
  }
  const box = new Outbox('test', openStorage('k', shelf), carrier)
  return { box, script, sent, ids, shelf, shown: () => shown, offline: () => (online = false) }
}

describe('Outbox', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('navigator', {}) // a browser without locks
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('sends in the order of writing', async () => {
    const { box, sent, shown } = scene()
    for (const text of ['one', 'two', 'three']) box.put('c', text, [], 1000)
    await vi.runAllTimersAsync()
    expect(sent).toEqual(['one', 'two', 'three'])
    expect(shown()).toEqual([])
  })

  it('keeps the id through every attempt and lets nothing overtake', async () => {
    const { box, script, sent, ids } = scene()
    script.push('lost', new Problem(503, ''), new Problem(429, '', 2000))
    box.put('c', 'one')
    box.put('c', 'two')
    await vi.runAllTimersAsync()
    expect(sent).toEqual(['one', 'two'])
    expect(new Set(ids.slice(0, 4)).size).toBe(1)
  })

  it('says so after two failures, and at once when offline', async () => {
    const first = scene()
    first.script.push('lost', 'lost', 'lost', 'lost')
    first.box.put('c', 'one')
    await vi.advanceTimersByTimeAsync(0)
    expect(first.shown()[0]!.state).toBe('sending')
    await vi.advanceTimersByTimeAsync(2000)
    expect(first.shown()[0]!.state).toBe('failed')
    const second = scene()
    second.offline()
    second.script.push('lost')
    second.box.put('c', 'one')
    await vi.advanceTimersByTimeAsync(0)
    expect(second.shown()[0]!.state).toBe('queued')
  })

  it('survives a reload', async () => {
    const before = scene()
    before.script.push(...Array<'lost'>(20).fill('lost'))
    before.box.put('c', 'one')
    await vi.advanceTimersByTimeAsync(100)
    const after = scene(before.shelf)
    await after.box.flush()
    expect(after.sent).toEqual(['one'])
    expect(after.ids[0]).toBe(before.ids[0])
  })

  it('sets aside what was refused and goes on', async () => {
    const { box, script, sent, shown } = scene()
    script.push(new Problem(422, 'too long'))
    box.put('c', 'one')
    box.put('c', 'two')
    await vi.advanceTimersByTimeAsync(10)
    expect(sent).toEqual(['two'])
    expect(shown().map((item) => item.state)).toEqual(['refused'])
  })

  it('moves what a closed conversation refused into another one', async () => {
    const { box, script, sent, shown } = scene()
    script.push(new Problem(409, 'closed'))
    box.put('c', 'one')
    await vi.advanceTimersByTimeAsync(10)
    expect(shown()[0]!.state).toBe('closed')
    box.move('c', 'd')
    await box.flush()
    expect(sent).toEqual(['one'])
  })
})
