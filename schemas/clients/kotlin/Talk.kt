// A conversation in the terminal: what is typed is said by one member. `Spoken` and `Answer` are generated from openapi.json.
import com.google.gson.Gson
import java.io.IOException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.UUID
import mostik.models.Answer
import mostik.models.Problem
import mostik.models.Spoken

/** Brings what members say to the companion. */
class Mostik(private val url: String, private val key: String) {
    private val http = HttpClient.newHttpClient()
    private val gson = Gson()

    /** With the same id it is done once: so it is sent again until an answer comes. */
    fun say(spoken: Spoken): Answer {
        val request = HttpRequest.newBuilder(URI("$url/v1/talk"))
            .header("Authorization", "Bearer $key")
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(gson.toJson(spoken)))
            .build()
        for (tries in 1..5) {
            val answer = try {
                http.send(request, HttpResponse.BodyHandlers.ofString())
            } catch (_: IOException) {
                null
            }
            when (val status = answer?.statusCode() ?: 503) {
                200 -> return gson.fromJson(answer!!.body(), Answer::class.java)
                429, in 500..599 -> Thread.sleep(1000L shl tries)
                else -> error("$status: ${gson.fromJson(answer!!.body(), Problem::class.java).title}")
            }
        }
        error("the bridge does not answer")
    }
}

fun main() {
    val setting = { name: String, usual: String -> System.getenv(name) ?: usual }
    val mostik = Mostik(setting("MOSTIK_URL", "http://127.0.0.1:8080"), setting("MOSTIK_KEY", ""))
    for (line in generateSequence(::readlnOrNull)) {
        val answer = mostik.say(Spoken(id = UUID.randomUUID().toString(), handle = setting("HANDLE", "sparrow"), said = line))
        println(answer.text)
        answer.help?.lines?.forEach { println("  ${it.name}: ${it.call.orEmpty().joinToString()}") }
        answer.page?.let(::println)
        println(answer.buttons.joinToString(" ") { "[${it.words}]" })
    }
}
