import Configuration
import Telemetry
import Testing

@testable import Agent

@Suite struct WorkerVariablesTests {
    private let all = [
        "PATH=/bin", "CI_B=hunter2", "CI_BC=1", "SIDELIGHT_PASSPHRASE=p", "SIDELIGHT_TOKEN=t", "LD_LIBRARY_PATH=/x",
        "TZ=UTC",
        "https_proxy=http://u:p@h", "TSAN_OPTIONS=a=b", "GLIBC_TUNABLES=", "=x", "odd",
    ]

    @Test func theProgramHasAllButWhatIsHidden() {
        #expect(
            WorkerVariables.ofProgram(all, hidden: ["CI_B"]) == [
                "PATH=/bin", "CI_BC=1", "LD_LIBRARY_PATH=/x", "TZ=UTC", "https_proxy=http://u:p@h", "TSAN_OPTIONS=a=b",
                "GLIBC_TUNABLES=", "=x", "odd",
            ])
    }

    @Test func theProcessHasOnlyWhatIsLookedAtBeforeItCanRead() {
        #expect(
            WorkerVariables.ofProcess(all) == ["LD_LIBRARY_PATH=/x", "TSAN_OPTIONS=a=b", "GLIBC_TUNABLES="])
    }
}
