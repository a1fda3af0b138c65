internal import CHTTP2

/// nghttp2's callbacks: C functions that find their session and hand on. None may send, nor end the session.
enum HTTP2Callbacks {
    // Made once, and only read after.
    nonisolated(unsafe) static let all: OpaquePointer = make()
    nonisolated(unsafe) static let options: OpaquePointer = makeOptions()

    /// Answers to pings and settings that wait to be sent; a client that makes more of them is ended.
    private static let answersWaitingMax = 256

    static let read: nghttp2_data_source_read_callback = { _, id, buffer, length, flags, _, data in
        session(data).read(id, UnsafeMutableRawBufferPointer(start: buffer, count: length), flags!)
    }

    private static func make() -> OpaquePointer {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks else { fatalError("no memory for HTTP/2") }
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, frame, data in
            session(data).frameBegins(frame!.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, _, _, data in
            session(data).frameIsInvalid()
            return 0
        }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, data in
            if frame!.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
                session(data).requestBegins(frame!.pointee.hd.stream_id)
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, data in
            let isGood = session(data).field(
                frame!.pointee.hd.stream_id, UnsafeRawBufferPointer(start: name, count: nameCount),
                UnsafeRawBufferPointer(start: value, count: valueCount))
            return isGood ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, bytes, count, data in
            session(data).data(id, UnsafeRawBufferPointer(start: bytes, count: count))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, data in
            let header = frame!.pointee.hd
            let isHeaders = UInt32(header.type) == NGHTTP2_HEADERS.rawValue
            guard isHeaders || UInt32(header.type) == NGHTTP2_DATA.rawValue else { return 0 }
            if isHeaders { session(data).headIsWhole(header.stream_id) }
            if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 {
                session(data).requestIsWhole(header.stream_id)
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, data in
            let header = frame!.pointee.hd
            guard UInt32(header.type) <= NGHTTP2_HEADERS.rawValue,
                header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
            else { return 0 }
            session(data).answerIsSent(header.stream_id)
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, _, data in
            session(data).streamIsClosed(id)
            return 0
        }
        return callbacks
    }

    private static func makeOptions() -> OpaquePointer {
        var options: OpaquePointer?
        guard nghttp2_option_new(&options) == 0, let options else { fatalError("no memory for HTTP/2") }
        nghttp2_option_set_no_closed_streams(options, 1)
        nghttp2_option_set_max_outbound_ack(options, answersWaitingMax)
        return options
    }
}

/// Outside of the type, since a C function may not capture even that.
private func session(_ data: UnsafeMutableRawPointer?) -> HTTP2Session {
    Unmanaged<HTTP2Session>.fromOpaque(data!).takeUnretainedValue()
}
