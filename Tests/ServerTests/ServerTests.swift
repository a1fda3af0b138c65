@testable import Server
import Testing

