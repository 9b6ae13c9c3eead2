package xz

// chunksAhead is how many chunks are decoded in the background ahead of the one
// whose content is in use.
const chunksAhead = 2

// chunkPieces gives the content of a block chunk by chunk. While the caller is
// busy with a piece, the ahead chunks that follow are decoded in the background.
// Input is read only while piece runs.
type chunkPieces struct {
	ahead   int // 0: all is done by piece
	reader  chunkReader
	decoder *chunkDecoder
	ready   [][]byte    // decoded and not yet given out
	jobs    []*chunkJob // not yet given out, in order
	last    *chunkJob
	inputs  []*[chunkCodedMax]byte // free ones
	end     error                  // why no job follows
}

// newChunkPieces reads the chunks of a block with header bh, which begin next in
// src. It may use spare as the window.
func newChunkPieces(src *source, bh *blockHeader, ahead int, spare []byte) *chunkPieces {
	winMax := windowSize(bh, ahead)
	win := newWindow(min(max(firstWindow, int64(cap(spare))), winMax), spare)
	return &chunkPieces{
		ahead:   ahead,
		reader:  newChunkReader(src, bh),
		decoder: newChunkDecoder(bh.dictSize, win, winMax),
	}
}

// chunkJob decodes a chunk once the one before is decoded. It ends by itself, so
// that a reader that is given up leaves nothing behind.
type chunkJob struct {
	chunk  chunk
	done   chan struct{}
	pieces [][]byte
	err    error
}

func (j *chunkJob) run(d *chunkDecoder, before *chunkJob) {
	defer close(j.done)
	if before != nil {
		<-before.done
		if j.err = before.err; j.err != nil {
			return
		}
	}
	if j.pieces, j.err = d.decode(j.chunk); j.err != nil {
		j.err = &Error{Offset: j.chunk.end, Err: j.err}
	}
}

// piece returns the next piece, valid until the next call.
func (p *chunkPieces) piece() ([]byte, error) {
	for len(p.ready) == 0 {
		p.start()
		if len(p.jobs) == 0 {
			return nil, p.end
		}
		j := p.jobs[0]
		<-j.done
		if j.err != nil {
			return nil, j.err
		}
		p.jobs = p.jobs[1:]
		p.ready = j.pieces
		p.inputs = append(p.inputs, j.chunk.in)
	}
	b := p.ready[0]
	p.ready = p.ready[1:]
	return b, nil
}

// start reads chunks and starts their jobs as far ahead as is allowed.
func (p *chunkPieces) start() {
	for len(p.jobs) <= p.ahead && p.end == nil {
		if len(p.inputs) == 0 {
			p.inputs = append(p.inputs, new([chunkCodedMax]byte))
		}
		n := len(p.inputs) - 1
		c, err := p.reader.next(p.inputs[n])
		if err != nil {
			p.end = err
			return
		}
		p.inputs = p.inputs[:n]
		j := &chunkJob{chunk: c, done: make(chan struct{})}
		if p.ahead == 0 {
			j.run(p.decoder, nil)
		} else {
			go j.run(p.decoder, p.last)
		}
		p.jobs, p.last = append(p.jobs, j), j
	}
}
