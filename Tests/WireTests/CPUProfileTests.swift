import Testing
import Wire

@Suite struct CPUProfileTests {
    /// Three functions; `b` is called by `a`, and by the root as well.
    private let json = """
        {"nodes":[{"id":1,"callFrame":{"functionName":"(root)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1},"hitCount":0,\
        "children":[2,4,5]},{"id":2,"callFrame":{"functionName":"a","scriptId":"7","url":"file:///x/app.js","lineNumber":9,"columnNumber":2},\
        "hitCount":1,"children":[3]},{"id":3,"callFrame":{"functionName":"b;c","scriptId":"7","url":"file:///x/app.js","lineNumber":19,\
        "columnNumber":2},"hitCount":2},{"id":4,"callFrame":{"functionName":"","scriptId":"7","url":"file:///x/app.js","lineNumber":29,\
        "columnNumber":2},"hitCount":1},{"id":5,"callFrame":{"functionName":"(program)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1},\
        "hitCount":1}],"startTime":1000,"endTime":6000,"samples":[2,3,3,4,5],"timeDeltas":[100,1000,1000,1000,1000],\
        "sidelightSamples":[0,0,1,-1,-1],"sidelightSpans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"},\
        {"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}]}
        """

    private func parse(_ text: String) throws -> CPUProfile { try CPUProfile(parsing: Array(text.utf8)) }

    @Test func aProfileIsRead() throws {
        let profile = try parse(json)
        #expect(profile.nodes.count == 5)
        #expect(profile.nodes[2].parent == 1)
        #expect(profile.nodes[2].frame == CPUProfile.Frame(function: "b;c", url: "file:///x/app.js", line: 20))
        #expect(profile.samples.map(\.duration) == [1000, 1000, 1000, 1000, 900])
        #expect(profile.samples.map(\.span) == [0, 0, 1, nil, nil])
        #expect(profile.duration == 5000)
    }

    @Test func collapsedStacks() throws {
        #expect(
            try parse(json).collapsed == """
                (anonymous) (app.js:30) 1
                (program) 1
                a (app.js:10) 1
                a (app.js:10);b,c (app.js:20) 2

                """)
    }

    @Test func theTopStacksAreTheWorkloads() throws {
        let profile = try parse(json)
        #expect(profile.topStacks(1, bytesMax: 4096) == "a (app.js:10);b,c (app.js:20) 2")
        #expect(profile.topStacks(9, bytesMax: 60).split(separator: "\n").count == 2)
        #expect(profile.topStacks(9, bytesMax: 10) == "")
    }

    /// Read by hand from profile.proto; Tests/EndToEnd/test_profile.py decodes a whole one.
    @Test func pprofBytes() throws {
        let bytes = try parse(json).pprof
        // sample_type: "samples" in "count", then "cpu" in "nanoseconds".
        #expect(bytes.starts(with: [0x0A, 4, 0x08, 1, 0x10, 2, 0x0A, 4, 0x08, 3, 0x10, 4]))
        // The first sample: location 1, 1 sample, 1,000,000 ns, and two labels.
        let first: [UInt8] = [
            0x08, 1, 0x10, 1, 0x10, 0xC0, 0x84, 0x3D, 0x1A, 4, 0x08, 5, 0x10, 6, 0x1A, 4, 0x08, 7, 0x10, 8,
        ]
        #expect(bytes.dropFirst(12).starts(with: [0x12, UInt8(first.count)] + first))
        #expect(String(decoding: bytes, as: UTF8.self).contains("00f067aa0ba902b7"))
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"nodes":[],"samples":[1],"timeDeltas":[1],"startTime":0,"endTime":1}"#,
        #"{"nodes":[{"id":1,"callFrame":{},"children":[1]}],"samples":[],"timeDeltas":[],"startTime":0,"endTime":1}"#,
        #"{"nodes":[{"id":1,"callFrame":{}}],"samples":[1],"timeDeltas":[],"startTime":0,"endTime":1}"#,
    ])
    func whatIsNoProfileIsRefused(_ text: String) {
        #expect(throws: DecodeError.self) { try parse(text) }
    }

    @Test func anEmptyProfileIsOne() throws {
        let profile = try parse(
            #"{"nodes":[{"id":1,"callFrame":{}}],"samples":[],"timeDeltas":[],"startTime":5,"endTime":1}"#)
        #expect(profile.collapsed == "")
        #expect(!profile.pprof.isEmpty)
    }

    @Test func controlMessagesGoThereAndBack() {
        for command in [
            ControlCommand.startProfile(interval: 1000), .stopProfile, .heapSnapshot(mebibytesMax: 512), .followed,
        ] {
            #expect(ControlCommand(command.bytes) == command)
        }
        #expect(ControlCommand([9, 0, 0, 0, 0, 0, 0, 0]) == nil)
        #expect(ControlCommand([1]) == nil)
        for purpose in ControlFrame.Purpose.allCases {
            let frame = ControlFrame(kind: .data, purpose: purpose, payloadBytes: 65_536)
            #expect(ControlFrame(head: frame.head) == frame)
        }
        #expect(ControlFrame(head: [1, 0, 0, 0, 255, 255, 255, 255]) == nil)
        #expect(ControlFrame(head: [1, 9, 0, 0, 0, 0, 0, 0]) == nil)
        #expect(ControlFrame(head: []) == nil)
    }
}
