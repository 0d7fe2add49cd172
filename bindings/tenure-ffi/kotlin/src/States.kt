package tenure

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.stateIn

/**
 * The session's state for an interface to collect, kept up to date for as long as [scope] lives.
 * Quick changes may be left out; the last one never is.
 */
fun Session.states(scope: CoroutineScope): StateFlow<State> {
    val now = state()
    val changes = flow {
        var shown = now
        while (true) {
            shown = nextState(shown)
            emit(shown)
        }
    }
    return changes.stateIn(scope, SharingStarted.Eagerly, now)
}
