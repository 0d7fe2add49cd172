<?php
// An orders API in plain PHP, as it stands behind FPM; OPTIONS (JSON in the environment) has its secret.
$options = json_decode(getenv('OPTIONS'), true);

function answer(int $status, array $body): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    if ($status === 401) {
        header('WWW-Authenticate: Bearer');
    }
    echo json_encode($body);
    exit;
}

function decoded(string $part): string
{
    return (string) base64_decode(strtr($part, '-_', '+/'));
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/health') {
    answer(200, ['status' => 'ok']);
}
if ($path === '/debug/headers') {
    answer(200, ['headers' => array_change_key_case(getallheaders())]);
}
$field = $_SERVER['HTTP_AUTHORIZATION'] ?? $_SERVER['REDIRECT_HTTP_AUTHORIZATION'] ?? '';
if (!preg_match('/^Bearer\s+(\S+)$/i', $field, $found)) {
    answer(401, ['message' => 'Token not provided']);
}
$parts = explode('.', $found[1]);
if (count($parts) !== 3) {
    answer(401, ['message' => 'Wrong number of segments']);
}
$signed = hash_hmac('sha256', "$parts[0].$parts[1]", $options['secret'], true);
if (!hash_equals($signed, decoded($parts[2]))) {
    error_log('token refused: Signature verification failed');
    answer(401, ['message' => 'Signature verification failed']);
}
$claims = json_decode(decoded($parts[1]), true);
if (($claims['exp'] ?? 0) < time()) {
    error_log('token refused: Expired token');
    answer(401, ['message' => 'Expired token']);
}
preg_match('#^/api/(orders|me)#', $path) ? answer(200, ['orders' => [17], 'user' => $claims['sub']]) : answer(404, ['message' => 'Not Found']);
