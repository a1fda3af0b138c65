internal import System

// Compressed files: their content is read from its beginning each time they are opened, and what was read before is left out.
extension Tailer {
    func readCompressed(_ file: TailedFile, _ settings: TailSettings) -> ReadStep {
        guard let descriptor = file.file else { return .failed }
        if file.stream == nil {
            guard streams < limits.compressedMax else { return .full }
            guard let format = format(of: descriptor) else { return replaced(file) }
            file.stream = CompressedStream(format)
            streams += 1
        }
        guard let stream = file.stream else { return .failed }
        let most = max(settings.lineBytesMax, 1024)
        let got = stream.fill(files, descriptor, room: limits.quantumBytes)
        if file.encoding == nil {
            // Before anything is taken away from the beginning.
            stream.pending.withUnsafeBytes { learn(file, $0, settings) }
            if file.encoding == nil {
                if stream.state == .going { return .more }
                file.encoding = .utf8
            }
        }
        if stream.offset < file.place {
            // It was read before, up to somewhere in the midst.
            stream.drop(Int(min(file.place - stream.offset, UInt64(stream.pending.count))))
        }
        if stream.offset >= file.place, !stream.pending.isEmpty {
            takeContent(file, stream, settings, most)
        }
        if stream.offset + UInt64(stream.pending.count) > limits.decompressedBytesMax {
            tally.missedCompressed += file.size > stream.consumed ? file.size - stream.consumed : 0
            tally.failures += 1
            end(file)
            return .changed
        }
        switch stream.state {
        case .going: return .more
        case .waiting: return got > 0 ? .more : .idle
        case .complete:
            end(file)
            return .changed
        case .damaged:
            tally.missedCompressed += file.size > stream.consumed ? file.size - stream.consumed : 0
            tally.failures += 1
            end(file)
            return .changed
        }
    }

    private func format(of descriptor: TailFile) -> CompressedStream.Format? {
        guard let count = files.read(descriptor, into: headBuffer, at: 0) else { return nil }
        return CompressedStream.Format.detect(UnsafeRawBufferPointer(rebasing: headBuffer[..<count]))
    }

    private func takeContent(_ file: TailedFile, _ stream: CompressedStream, _ settings: TailSettings, _ most: Int) {
        var used = 0
        stream.pending.withUnsafeBytes { bytes in
            // Less where the content begins with a mark.
            let start = Int(file.place - stream.offset)
            guard start <= bytes.count, let encoding = file.encoding else { return }
            let content = UnsafeRawBufferPointer(rebasing: bytes[start...])
            if let count = encoding.lastLineEnd(content) {
                deliver(file, UnsafeRawBufferPointer(rebasing: content[..<count]), encoding)
                used = start + count
            } else if content.count > most {
                text.handCut(
                    UnsafeRawBufferPointer(rebasing: content[..<most]), at: file.place,
                    sourceBytes: UInt64(content.count), encoding, to: sink(of: file), observed: observed, &tally)
                moved(file, to: file.place + UInt64(content.count), encoding)
                used = bytes.count
            }
        }
        stream.drop(used)
    }
}
