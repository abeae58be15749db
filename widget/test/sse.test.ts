import { expect, it } from 'vitest'
import { EventReader } from '../panel/sse'

const STREAM = ': hello\n\nevent: message\nid: 3\ndata: {"a":\ndata: 1}\n\nevent: typing\r\ndata: {}\r\n\r\ndata:x\n\n'
const WHOLE = [
  { event: 'message', id: '3', data: '{"a":\n1}' },
  { event: 'typing', id: '3', data: '{}' },
  { event: 'message', id: '3', data: 'x' },
]

it('reads the same events however the stream is cut', () => {
  for (let cut = 1; cut < STREAM.length; cut++) {
    const reader = new EventReader()
    expect([...reader.feed(STREAM.slice(0, cut)), ...reader.feed(STREAM.slice(cut))]).toEqual(WHOLE)
  }
})

it('waits for the blank line', () => {
  const reader = new EventReader()
  expect(reader.feed('data: half')).toEqual([])
  expect(reader.feed(' and half\n\n')).toHaveLength(1)
})
