import { describe, expect, it } from 'vitest'
import { endingOf, initials, merge, rateable, stageOf, standing, unreadIn, withDeliveries, withFeedback } from '../panel/thread'
import type { Conversation, Handoff, Message } from '../panel/types'

const message = (seq: number, role: Message['author']['role'] = 'agent', more: Partial<Message> = {}): Message => ({
  id: `m${seq}`, seq, author: { role, name: null }, text: `${seq}`, created_at: '2026-01-01T10:00:00Z', delivery: 'none', ...more,
})
const handoff = (more: Partial<Handoff>): Handoff => ({
  id: 'h1', state: 'requested', mode: 'live', ticket_id: null, agent: null, ended: null, needs_email: false, ...more,
})
const talk = (more: Partial<Handoff> | null, status: Conversation['status'] = 'open'): Conversation => ({
  status, control: 'assistant', handoff: more && handoff(more),
})

describe('merge', () => {
  it('orders by seq, whatever order messages come in', () => {
    expect(merge([message(3)], [message(1), message(2)]).map((each) => each.seq)).toEqual([1, 2, 3])
  })
  it('takes a repeated message once, and never a step back in its delivery', () => {
    const thread = merge([message(1, 'customer', { delivery: 'delivered' })], [message(1, 'customer', { delivery: 'pending' })])
    expect(thread).toHaveLength(1)
    expect(thread[0]!.delivery).toBe('delivered')
  })
})

describe('standing', () => {
  const draft = { id: 'm2', text: 'You can', citations: [] }
  it('shows how far an answer has come', () => expect(standing(draft, [message(1, 'customer')], talk(null))).toBe(draft))
  it('is nothing once the answer is there', () => expect(standing(draft, [message(1), message(2)], talk(null))).toBeNull())
  it('is nothing once a person was asked for', () => expect(standing(draft, [], { ...talk(null), control: 'pending' })).toBeNull())
})

describe('rateable', () => {
  const answered = [message(1, 'customer'), message(2, 'assistant'), message(3, 'customer'), message(4, 'assistant')]
  const id = (thread: Message[], conversation: Conversation | null = talk(null)) => rateable(thread, conversation)?.id
  it('is the latest answer, also while the next one is looked for', () => {
    expect(id(answered)).toBe('m4')
    expect(id([...answered, message(5, 'customer')], null)).toBe('m4')
  })
  it('is nothing before an answer, and none but an answer', () => {
    expect(id([message(1, 'customer')])).toBeUndefined()
    expect(id([...answered, message(5, 'agent')])).toBeUndefined()
    expect(id([...answered, message(5, 'system', { notice: 'back_to_assistant' })])).toBeUndefined()
  })
  it('is nothing once a person was asked for, or the chat is closed', () => {
    for (const control of ['pending', 'agent', 'nobody'] as const) expect(id(answered, { ...talk(null), control })).toBeUndefined()
    expect(id(answered, talk(null, 'closed'))).toBeUndefined()
  })
})

describe('withDeliveries', () => {
  it('says what has become of messages that are there, and nothing that is older than what is known', () => {
    const thread = [message(1, 'customer', { delivery: 'pending' }), message(2, 'customer', { delivery: 'delivered' }), message(3, 'customer')]
    const after = withDeliveries(thread, [{ id: 'm1', delivery: 'failed' }, { id: 'm2', delivery: 'pending' }, { id: 'elsewhere', delivery: 'failed' }])
    expect(after.map(({ delivery }) => delivery)).toEqual(['failed', 'delivered', 'none'])
    expect(after[2]).toBe(thread[2])
  })
})

describe('withFeedback', () => {
  it('says what was found of which answer, and what was taken back', () => {
    const thread = [message(1, 'assistant', { feedback: 'helpful' }), message(2, 'assistant'), message(3, 'assistant')]
    const after = withFeedback(thread, [{ id: 'm1', feedback: null }, { id: 'm2', feedback: 'not_helpful' }, { id: 'elsewhere', feedback: 'helpful' }])
    expect(after.map(({ feedback }) => feedback ?? null)).toEqual([null, 'not_helpful', null])
    expect(after[2]).toBe(thread[2])
  })
})

describe('stageOf', () => {
  it.each([
    [null, 'assistant'], [talk(null), 'assistant'], [talk({ state: 'requested' }), 'connecting'], [talk({ state: 'queued' }), 'waiting'],
    [talk({ state: 'with_agent' }), 'live'], [talk({ state: 'asynchronous' }), 'ticket'], [talk({ state: 'failed' }), 'failed'],
    [talk({ state: 'ended' }), 'ended'], [talk(null, 'closed'), 'ended'],
  ] as const)('%j is %s', (conversation, stage) => expect(stageOf(conversation)).toBe(stage))
})

describe('endingOf', () => {
  const ended = talk({ state: 'ended', ended: 'inactive' })
  const end = message(2, 'system', { notice: 'inactive' })
  it('says which ending it was', () => expect(endingOf(ended, [message(1), end], null)).toBe('inactive'))
  it('is over once the customer has dismissed it', () => expect(endingOf(ended, [end], 'h1')).toBeNull())
  it('is over once the customer has moved on', () => expect(endingOf(ended, [end, message(3, 'customer')], null)).toBeNull())
  it('says nothing to a customer who left', () => expect(endingOf(talk({ state: 'ended', ended: 'by_customer' }), [], null)).toBeNull())
  it('is always said of a closed conversation', () => expect(endingOf(talk({ state: 'ended', ended: 'closed' }, 'closed'), [], 'h1')).toBe('closed'))
})

it('counts as unread what others wrote', () => {
  expect(unreadIn([message(1), message(2, 'customer'), message(3, 'system'), message(4, 'assistant')], 1)).toBe(1)
})

it('makes initials of any name', () => {
  expect(['Priya Nair', 'ana', 'Jean-Luc van der Berg', '', '李 小龙'].map(initials)).toEqual(['PN', 'A', 'JB', '', '李小'])
})
